"""inject: where a flow begins by itself, on a clock or by hand."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from ...duration import UNITS
from ...message import Message, new_id
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Evaluator, Path, evaluator


class Property(NodeConfig):
    """One property of Node-RED's list: `p` the path, `v` the value, `vt` its type."""

    p: str = "payload"
    v: object = UNSET
    vt: str = ""


class InjectConfig(NodeConfig):
    """Field runtime: `interval…`; Node-RED: `repeat`, `crontab`, `once`, `props`."""

    interval_type: Annotated[
        Literal["milliseconds", "seconds", "minutes", "hours", "days", "months"], Meta(title="Unit")
    ] = "seconds"
    interval_value: Annotated[float, Meta(title="Every", description="0: only by hand", ge=0)] | UnsetType = (
        UNSET
    )
    interval: Annotated[str | float, Meta(title="Every (old spelling)", examples=["5s"])] = ""
    payload: Annotated[object, Meta(title="Payload")] = UNSET
    payload_type: Annotated[
        Literal["", "date", "str", "num", "bool", "json", "bin", "env", "flow", "global", "jsonata"],
        Meta(title="Payload's type", description="empty: as written"),
    ] = ""
    topic: Annotated[str, Meta(title="Topic")] = ""
    toggle: Annotated[bool, Meta(title="Toggle", description="the payload is true and false in turn")] = False
    props: Annotated[tuple[Property, ...], Meta(title="Properties")] = ()
    repeat: Annotated[
        str | float | bool, Meta(title="Every (seconds)", description="Node-RED's spelling")
    ] = ""
    cron: str = ""
    crontab: Annotated[str, Meta(title="Schedule", description="five fields, in the device's time zone")] = ""
    once: Annotated[bool, Meta(title="At start")] = True
    once_delay: Annotated[float, Meta(title="Delay at start (seconds)", ge=0)] = 0.1
    node_red: Annotated[bool, Meta(title="Node-RED's rules", extra_json_schema={"hidden": True})] = False


class Inject(Node[InjectConfig]):
    """Sends a message at start, every so often, on a schedule, or when asked to."""

    type = "inject"
    category = "input"
    inputs = 0
    Config = InjectConfig

    async def start(self) -> None:
        config = self.config
        self._make = self._compile()
        self._on = False
        seconds = self._read_interval()
        if config.node_red:
            if config.once:
                self.spawn(self._once(config.once_delay))
            if seconds:
                self.spawn(self._often(seconds, at_once=False))
        elif seconds:
            self.spawn(self._often(seconds, at_once=config.once))
        if cron := config.crontab or config.cron:
            from .schedule import check_schedule, run_schedule

            check_schedule(cron, "")
            self.spawn(run_schedule(cron, "", self._fire))

    def receive(self, message: Message) -> None:
        """By hand: what is given wins over what is configured."""
        made = self._make()
        given = {key: value for key, value in message.items() if key == "_msgid" or value is not None}
        self.send({**made, **given})

    def _fire(self) -> None:
        self.send(self._make())

    async def _once(self, delay: float) -> None:
        await asyncio.sleep(delay)
        self._fire()

    async def _often(self, seconds: float, *, at_once: bool) -> None:
        loop = asyncio.get_running_loop()
        if at_once:
            self._fire()
        due = loop.time() + seconds
        while True:
            await asyncio.sleep(due - loop.time())
            await self.room()
            self._fire()
            due += seconds
            if due < loop.time():  # The flow or the device was busy: what was missed is not made up for.
                due = loop.time() + seconds

    def _read_interval(self) -> float:
        config = self.config
        if config.node_red or config.repeat not in ("", True, False):
            try:
                seconds = float(config.repeat or 0)
            except ValueError:
                raise NodeError(f"'repeat' must be seconds, not {config.repeat!r}.") from None
            return max(seconds, 0.001) if seconds > 0 else 0.0
        if config.interval:
            from ...duration import read_duration

            return max(read_duration(config.interval, "seconds"), 0.001)
        if config.interval_value is UNSET:
            return 0.0
        return config.interval_value * UNITS[config.interval_type]

    def _compile(self) -> _Maker:
        config = self.config
        if config.props:
            setters: list[tuple[Path, Evaluator]] = []
            for item in config.props:
                kind, value = item.vt, item.v
                if item.p == "payload" and value is UNSET and not kind:
                    kind, value = config.payload_type or "str", config.payload
                elif item.p == "topic" and value is UNSET:
                    kind, value = "str", config.topic
                setters.append(
                    (Path(item.p), evaluator(self, kind or "str", "" if value is UNSET else value))
                )
            return _Maker(setters)
        kind, payload = config.payload_type, config.payload
        if payload is UNSET:
            kind, payload = (kind or "date"), ""
        setters = [(Path("payload"), evaluator(self, kind, payload))]
        if config.toggle:
            setters = [(Path("payload"), self._toggle)]
        setters.append((Path("topic"), evaluator(self, "str", config.topic)))
        return _Maker(setters)

    def _toggle(self, _: Message) -> bool:
        self._on = not self._on
        return self._on


class _Maker:
    """Makes the configured message anew each time."""

    def __init__(self, setters: list[tuple[Path, Evaluator]]) -> None:
        self._setters = setters

    def __call__(self) -> Message:
        message: Message = {"_msgid": new_id()}
        for path, value in self._setters:
            found = value(message)
            path.set(message, None if found is MISSING else found)
        return message
