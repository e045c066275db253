"""What devices answer, read with care: every field may be missing, misspelt or of another type. Pure.

Each `read_…` takes a command's result as it came and keeps what it knows; what is no value of the right kind is None.
Raises UnusableAnswer where nothing of it can be used.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

Json = Mapping[str, object]
_STARTED = frozenset({"started", "running"})
_FLOW_STATES = frozenset({"idle", "running", "stopped", "error"})
_EXECUTION_STATES = {
    "completed": "succeeded",
    "success": "succeeded",
    "error": "failed",
    "canceled": "cancelled",
}
UNKNOWN = "unknown"


class UnusableAnswer(ValueError):
    """The device answered, and the answer has not the shape of one to this question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """`uptime_seconds` is None for a field client, which sends text."""

    status: str
    uptime_seconds: float | None
    version: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A node of a flow, however the device keeps it."""

    id: str
    type: str
    name: str
    config: Json = field(default_factory=dict[str, object])


@dataclass(frozen=True, kw_only=True, slots=True)
class Wire:
    """A connection of two nodes, by their ids."""

    source: str
    target: str
    output: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """A flow on a device. `status` is `unknown` where the device cannot tell: a field client says idle of all."""

    id: str
    name: str
    description: str
    status: str
    node_count: int
    nodes: tuple[Node, ...] = ()
    connections: tuple[Wire, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowState:
    """What became of a flow that was started or stopped: `running` or `stopped`, or what else the device says."""

    flow_id: str
    status: str
    execution_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """One run of a flow, as the device remembers it; times as it tells them."""

    id: str
    flow_id: str
    flow_name: str
    status: str
    started_at: str | None
    finished_at: str | None
    duration_ms: float | None
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One pin in use, by its BCM number; `value` where the device tells it."""

    pin: int
    mode: str
    value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpio:
    """The device's pins, or why there are none."""

    available: bool
    message: str | None
    board: str | None
    chip: str | None
    capabilities: Json
    pins: tuple[Pin, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemMetrics:
    """The documented shape of `get_system_metrics`; numbers that are none are None."""

    hostname: str | None
    os: str | None
    arch: str | None
    board_model: str | None
    uptime: float | None
    temperature: float | None
    cpu: dict[str, float]
    memory: dict[str, float]
    swap: dict[str, float]
    load_avg: dict[str, float]
    network: dict[str, float]


def read_health(result: object) -> Health:
    """A status text is all that is needed."""
    data = _object(result)
    status = _text(data.get("status"))
    if status is None:
        raise UnusableAnswer("it has no `status`")
    return Health(
        status=status, uptime_seconds=_number(data.get("uptime")), version=_text(data.get("version"))
    )


def read_node_types(result: object) -> list[dict[str, object]]:
    """The catalogue's entries that name their `type`, each as the device has it."""
    return [
        dict(entry)
        for entry in _entries(_object(result), "node_types")
        if _text(entry.get("type")) is not None
    ]


def read_flows(result: object) -> list[Flow]:
    """The flows that have an id: a field client lists its settings files among them, without."""
    return [flow for entry in _entries(_object(result), "flows") if (flow := _flow(entry)) is not None]


def read_flow(result: object) -> Flow:
    """One flow, with its nodes and connections."""
    flow = _flow(_object(result))
    if flow is None:
        raise UnusableAnswer("it has no `id`")
    return flow


def read_started(result: object, flow_id: str) -> FlowState:
    """A flow that was started is `running`, whatever the device calls it."""
    data = _object(result)
    status = _text(data.get("status")) or UNKNOWN
    return FlowState(
        flow_id=_text(data.get("flow_id")) or flow_id,
        status="running" if status in _STARTED else status,
        execution_id=_text(data.get("execution_id")),
    )


def read_executions(result: object) -> list[Execution]:
    """Those that have an id. A field client remembers none: its list is always empty."""
    found: list[Execution] = []
    for entry in _entries(_object(result), "executions"):
        execution_id = _text(entry.get("execution_id")) or _text(entry.get("id"))
        if execution_id is None:
            continue
        status = _text(entry.get("status")) or UNKNOWN
        found.append(
            Execution(
                id=execution_id,
                flow_id=_text(entry.get("flow_id")) or "",
                flow_name=_text(entry.get("flow_name")) or "",
                status=_EXECUTION_STATES.get(status, status),
                started_at=_text(entry.get("started_at")) or _text(entry.get("start_time")),
                finished_at=_text(entry.get("finished_at")) or _text(entry.get("end_time")),
                duration_ms=_number(entry.get("duration_ms", entry.get("duration"))),
                error=_text(entry.get("error")),
            )
        )
    return found


def read_gpio(result: object) -> Gpio:
    """Pins of a field client come in `active_pins`."""
    data = _object(result)
    if not isinstance(data.get("available"), bool):
        raise UnusableAnswer("it does not say whether pins are `available`")
    pins: list[Pin] = []
    for entry in _entries(data, "active_pins" if "active_pins" in data else "pins", needed=False):
        pin = _number(entry.get("pin", entry.get("bcm_pin")))
        if pin is not None and pin == int(pin):
            mode = _text(entry.get("mode")) or UNKNOWN
            pins.append(Pin(pin=int(pin), mode=mode, value=_number(entry.get("value"))))
    return Gpio(
        available=data["available"] is True,
        message=_text(data.get("message")),
        board=_text(data.get("board")),
        chip=_text(data.get("chip")),
        capabilities=_maybe_object(data.get("capabilities")),
        pins=tuple(pins),
    )


def read_system_metrics(result: object) -> SystemMetrics:
    """At least one reading must be there."""
    data = _object(result)
    groups = {name: _numbers(data.get(name)) for name in ("cpu", "memory", "swap", "load_avg", "network")}
    uptime, temperature = _number(data.get("uptime")), _number(data.get("temperature"))
    if uptime is None and temperature is None and not any(groups.values()):
        raise UnusableAnswer("there is no reading in it")
    return SystemMetrics(
        hostname=_text(data.get("hostname")),
        os=_text(data.get("os")),
        arch=_text(data.get("arch")),
        board_model=_text(data.get("board_model")),
        uptime=uptime,
        temperature=temperature,
        **groups,
    )


def _flow(entry: Json) -> Flow | None:
    flow_id = _text(entry.get("id")) or _text(entry.get("flow_id"))
    if flow_id is None:
        return None
    nodes = tuple(_nodes(entry.get("nodes")))
    count = _number(entry.get("node_count"))
    status = _text(entry.get("status"))
    # A field client makes its flows anew from disk to list them: idle says nothing there, and it counts no nodes.
    if status not in _FLOW_STATES or (
        status == "idle" and count is None and isinstance(entry.get("nodes"), Mapping)
    ):
        status = UNKNOWN
    return Flow(
        id=flow_id,
        name=_text(entry.get("name")) or "",
        description=_text(entry.get("description")) or "",
        status=status,
        node_count=len(nodes) if count is None else int(count),
        nodes=nodes,
        connections=tuple(_wires(entry.get("connections"))),
    )


def _nodes(value: object) -> Iterable[Node]:
    """A list, or a map by id."""
    if isinstance(value, Mapping):
        pairs = list(cast(Json, value).items())
    elif isinstance(value, list):
        pairs = [("", one) for one in cast(list[object], value)]
    else:
        return
    for key, one in pairs:
        if not isinstance(one, Mapping):
            continue
        node = cast(Json, one)
        node_id = _text(node.get("id")) or key
        if node_id:
            yield Node(
                id=node_id,
                type=_text(node.get("type")) or UNKNOWN,
                name=_text(node.get("name")) or "",
                config=_maybe_object(node.get("config")),
            )


def _wires(value: object) -> Iterable[Wire]:
    """`source` and `target`, or `source_id` and `target_id`."""
    if not isinstance(value, list):
        return
    for one in cast(list[object], value):
        if isinstance(one, Mapping):
            wire = cast(Json, one)
            source = _text(wire.get("source")) or _text(wire.get("source_id"))
            target = _text(wire.get("target")) or _text(wire.get("target_id"))
            output = _number(wire.get("source_output", wire.get("sourceOutput"))) or 0
            if source and target:
                yield Wire(source=source, target=target, output=int(output))


def _object(value: object) -> Json:
    if not isinstance(value, Mapping):
        raise UnusableAnswer("it is not an object")
    return cast(Json, value)


def _maybe_object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, Mapping) else {}


def _entries(data: Json, name: str, *, needed: bool = True) -> list[Json]:
    """The objects in the list (or map) `name`."""
    value = data.get(name)
    if isinstance(value, Mapping):
        value = list(cast(Json, value).values())
    if not isinstance(value, list):
        if needed and name not in data:
            raise UnusableAnswer(f"it has no `{name}`")
        return []
    return [cast(Json, one) for one in cast(list[object], value) if isinstance(one, Mapping)]


def _text(value: object) -> str | None:
    """Text that says something; device-tree text ends in NUL."""
    return (value.replace("\0", "").strip() or None) if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def _numbers(value: object) -> dict[str, float]:
    return {
        name: number for name, one in _maybe_object(value).items() if (number := _number(one)) is not None
    }
