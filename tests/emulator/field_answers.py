"""What the field client answers to each command, right or wrong (field-device.md, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.emulator.field_client import FieldClient

FLOWS: list[dict[str, Any]] = [
    {
        "id": "flow-default-1",
        "name": "Blink",
        "description": "",
        "status": "idle",
        "nodes": {
            "node-1": {
                "id": "node-1",
                "type": "inject",
                "name": "every second",
                "category": "input",
                "config": {"intervalType": "seconds", "intervalValue": 1},
                "inputs": [],
                "outputs": ["out"],
                "status": "idle",
            }
        },
        "connections": [{"id": "0c4f3b1e-6a58-4c1b", "source_id": "node-1", "target_id": "x"}],
        "config": {},
    },
    # settings.json lies in the same folder and is read as a flow
    {"id": "", "name": "", "description": "", "status": "idle", "nodes": {}, "connections": [], "config": {}},
]


class Refused(Exception):
    """The command is answered with `status: error` and this text."""


async def answer(client: FieldClient, action: str, payload: dict[str, Any]) -> Any:
    """The `data` of a success; raises Refused."""
    match action:
        case "health_check":
            return {"status": "healthy", "uptime": "TODO", "version": "1.0.0"}
        case "list_flows":
            return {"flows": FLOWS}
        case "get_flow":
            raise Refused("INVALID_CONFIG: service does not implement GetFlow")
        case "start_flow":
            flow_id = _flow_id(payload)
            if flow_id in client.running:
                raise Refused(f"flow {flow_id} is already running")
            if all(flow["id"] != flow_id for flow in FLOWS):
                raise Refused(f"flow not found: {flow_id}")
            client.running.add(flow_id)
            return {"flow_id": flow_id, "status": "started"}
        case "stop_flow":
            client.running.discard(_flow_id(payload))
            return {"flow_id": _flow_id(payload), "status": "stopped"}
        case "create_flow" | "update_flow" | "delete_flow":
            raise Refused(f"{action} not yet implemented")
        case "get_shadow":
            return await client.fetch_shadow()
        case "update_desired":
            if not isinstance(payload.get("desired"), dict):
                raise Refused("desired state is required")
            return {"delta": (await client.fetch_shadow())["delta"]}
        case "get_system_metrics":
            return system_metrics()
        case "get_executions":
            return {"executions": []}
        case "get_gpio_state":
            return {"available": False, "message": "GPIO is not available on this system"}
        case _:
            raise Refused(f"unknown action: {action}")


def system_metrics() -> dict[str, Any]:
    """The documented shape, with the field's own readings of it."""
    memory = {
        "total_bytes": 4e9,
        "used_bytes": 1e9,
        "free_bytes": 3e9,
        "available_bytes": 3e9,
        "percent": 25.0,
    }
    return {
        "hostname": "edge-07",
        "os": "linux",
        "arch": "arm64",
        "board_model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "uptime": 86400,
        "temperature": 48.3,
        "cpu": {"usage_percent": 12.5},
        "memory": memory | {"percent": 25.0},
        "swap": {"total_bytes": 0, "used_bytes": 0},
        "load_avg": {"1min": 0.5, "5min": 0.25, "15min": 0.12},
        "network": {"rx_bytes": 123456, "tx_bytes": 654321},
    }


def _flow_id(payload: dict[str, Any]) -> str:
    flow_id = payload.get("flow_id")
    if not isinstance(flow_id, str) or not flow_id:
        raise Refused("flow_id is required")
    return flow_id
