"""What simulated devices answer to commands: as the real agent does, or as the field client does, faults included."""

from collections.abc import Mapping
from typing import cast

from edgeflow_protocol.actions import Action

VERSION = "1.0.0"
_FIELD_FLOW: dict[str, object] = {"id": "flow-default-1", "name": "Blink", "status": "idle", "nodes": {}}


class Refused(Exception):
    """The command is answered with `status: error` and this text."""


class Flows:
    """The flows of one device: a default one, and what commands make of it."""

    __slots__ = ("_flows",)

    def __init__(self) -> None:
        self._flows: dict[str, dict[str, object]] | None = None  # most devices are never asked

    def all(self) -> dict[str, dict[str, object]]:
        """By id."""
        if self._flows is None:
            blink: dict[str, object] = {"id": "flow-default-1", "name": "Blink", "status": "idle"}
            self._flows = {"flow-default-1": {**blink, "nodes": [], "connections": []}}
        return self._flows

    def named(self, payload: Mapping[str, object]) -> dict[str, object]:
        """The one that `flow_id` names. Raises Refused."""
        flow_id = payload.get("flow_id")
        if not isinstance(flow_id, str) or not flow_id:
            raise Refused("flow_id is required")
        found = self.all().get(flow_id)
        if found is None:
            raise Refused(f"flow not found: {flow_id}")
        return found


def agent_answer(flows: Flows, action: str, payload: Mapping[str, object], uptime: float) -> object:
    """The `data` of a success. Raises Refused."""
    match action:
        case Action.HEALTH_CHECK:
            return {"status": "healthy", "uptime": round(uptime, 1), "version": VERSION}
        case Action.LIST_FLOWS:
            return {"flows": [_summary(flow) for flow in flows.all().values()]}
        case Action.GET_FLOW:
            return flows.named(payload)
        case Action.START_FLOW | Action.STOP_FLOW:
            flow = flows.named(payload)
            flow["status"] = "running" if action == Action.START_FLOW else "idle"
            started = {"execution_id": f"exec-{id(flow)}"} if action == Action.START_FLOW else {}
            return {"flow_id": flow["id"], "status": flow["status"], **started}
        case Action.CREATE_FLOW | Action.UPDATE_FLOW:
            flow_id = str(payload.get("flow_id") or payload.get("id") or f"flow-{len(flows.all()) + 1}")
            kept = flows.all().get(flow_id, {"id": flow_id, "status": "idle", "nodes": [], "connections": []})
            flows.all()[flow_id] = {**kept, **{k: v for k, v in payload.items() if k != "flow_id"}}
            return flows.all()[flow_id]
        case Action.DELETE_FLOW:
            del flows.all()[str(flows.named(payload)["id"])]
            return {"flow_id": payload["flow_id"]}
        case Action.UPDATE_DESIRED:
            return {"delta": payload.get("desired", {})}
        case Action.GET_SYSTEM_METRICS:
            return _metrics(uptime)
        case Action.GET_EXECUTIONS:
            return {"executions": []}
        case Action.GET_GPIO_STATE:
            return _gpio()
        case Action.SET_GPIO:
            return {
                "pin": payload.get("pin"),
                "mode": payload.get("mode", "output"),
                "value": payload.get("value"),
            }
        case _:
            raise Refused(f"unknown action: {action}")


def field_answer(running: set[str], action: str, payload: Mapping[str, object]) -> object:
    """As field-device.md section 6 has it; `get_shadow` and `update_desired` ask over REST and are not here.

    Raises Refused.
    """
    match action:
        case Action.HEALTH_CHECK:
            return {"status": "healthy", "uptime": "TODO", "version": VERSION}
        case Action.LIST_FLOWS:
            return {"flows": [_FIELD_FLOW]}
        case Action.GET_FLOW:
            raise Refused("INVALID_CONFIG: service does not implement GetFlow")
        case Action.START_FLOW:
            flow_id = str(payload.get("flow_id") or "")
            if flow_id in running:
                raise Refused(f"flow {flow_id} is already running")
            running.add(flow_id)
            return {"flow_id": flow_id, "status": "started"}
        case Action.STOP_FLOW:
            running.discard(str(payload.get("flow_id") or ""))
            return {"flow_id": payload.get("flow_id"), "status": "stopped"}
        case Action.CREATE_FLOW | Action.UPDATE_FLOW | Action.DELETE_FLOW:
            raise Refused(f"{action} not yet implemented")
        case Action.GET_SYSTEM_METRICS:
            return _metrics(86400)
        case Action.GET_EXECUTIONS:
            return {"executions": []}
        case Action.GET_GPIO_STATE:
            return {"available": False, "message": "GPIO is not available on this system"}
        case _:
            raise Refused(f"unknown action: {action}")


def _summary(flow: Mapping[str, object]) -> dict[str, object]:
    nodes = flow.get("nodes")
    count = len(cast("list[object] | dict[str, object]", nodes)) if isinstance(nodes, list | dict) else 0
    return {"id": flow["id"], "name": flow.get("name", ""), "status": flow["status"], "node_count": count}


def _metrics(uptime: float) -> dict[str, object]:
    total = 4 * 1024**3
    return {
        "hostname": "simulated",
        "os": "linux",
        "arch": "arm64",
        "board_model": "Simulated board",
        "uptime": round(uptime),
        "temperature": 48.3,
        "cpu": {"usage_percent": 12.5},
        "memory": {
            "total_bytes": total,
            "used_bytes": total // 4,
            "free_bytes": total // 2,
            "available_bytes": 3 * total // 4,
            "percent": 25.0,
        },
        "swap": {"total_bytes": 0, "used_bytes": 0},
        "load_avg": {"1min": 0.5, "5min": 0.25, "15min": 0.12},
        "network": {"rx_bytes": 123456, "tx_bytes": 654321},
    }


def _gpio() -> dict[str, object]:
    capabilities = {"num_gpio": 28, "num_pwm": 4, "num_i2c": 2, "num_spi": 2}
    return {
        "available": True,
        "board": "Simulated board",
        "chip": "simulated",
        "capabilities": capabilities,
        "active_pins": [],
    }
