"""Names of the commands, and which of them a device of the field can answer with more than a refusal."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """Commands that the cloud sends to a device. A device may know more; the wire carries any text."""

    HEALTH_CHECK = "health_check"
    LIST_FLOWS = "list_flows"
    GET_FLOW = "get_flow"
    START_FLOW = "start_flow"
    STOP_FLOW = "stop_flow"
    CREATE_FLOW = "create_flow"
    UPDATE_FLOW = "update_flow"
    DELETE_FLOW = "delete_flow"
    GET_SHADOW = "get_shadow"
    UPDATE_DESIRED = "update_desired"
    GET_SYSTEM_METRICS = "get_system_metrics"
    GET_EXECUTIONS = "get_executions"
    GET_NODE_TYPES = "get_node_types"
    GET_GPIO_STATE = "get_gpio_state"
    SET_GPIO = "set_gpio"


class DeviceAction(StrEnum):
    """Commands that a device sends to the cloud."""

    GET_SHADOW = "get_shadow"
    UPDATE_REPORTED = "update_reported"
    HEALTH_CHECK = "health_check"


FIELD_CLIENT_REFUSES = frozenset(
    {
        Action.GET_FLOW,
        Action.CREATE_FLOW,
        Action.UPDATE_FLOW,
        Action.DELETE_FLOW,
        Action.GET_NODE_TYPES,
        Action.SET_GPIO,
    }
)
"""What a client that negotiated nothing cannot do (`get_node_types` and `set_gpio` it does not even know)."""
