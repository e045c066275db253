"""The flow engine: reads flows in every spelling, runs them, says what they did.

Owns: node types and their interface (`node.py`), messages, contexts, executions, links between flows. Promises: one
node's error or slowness is not another's; every queue is bounded; what is redeployed unchanged goes on running. Does
not keep flow definitions: whoever deploys them does.

A type is written to `edgeflow_agent.engine.node`: `Node`, `NodeConfig`, `NodeError`, `Message`.
"""

from .catalogue import Property, describe_type, read_properties
from .doors import Client, Door, Doors
from .engine import Engine, FlowState, FlowTotals
from .flow import Flow, FlowRefused, FlowUnknown, NodeSpec, Variable, Wire
from .message import Message, new_message
from .node import Node, NodeConfig, NodeError
from .reading import read_flow, read_flows
from .registry import Registry, UnknownType
from .run import Execution, NodeExecution
from .streams import (
    DebugShown,
    Event,
    ExecutionEnded,
    FlowChanged,
    Kind,
    LogWritten,
    StatusShown,
    Subscription,
)

__all__ = [
    "Client",
    "DebugShown",
    "Door",
    "Doors",
    "Engine",
    "Event",
    "Execution",
    "ExecutionEnded",
    "Flow",
    "FlowChanged",
    "FlowRefused",
    "FlowState",
    "FlowTotals",
    "FlowUnknown",
    "Kind",
    "LogWritten",
    "Message",
    "Node",
    "NodeConfig",
    "NodeError",
    "NodeExecution",
    "NodeSpec",
    "Property",
    "Registry",
    "StatusShown",
    "Subscription",
    "UnknownType",
    "Variable",
    "Wire",
    "describe_type",
    "new_message",
    "read_flow",
    "read_flows",
    "read_properties",
]
