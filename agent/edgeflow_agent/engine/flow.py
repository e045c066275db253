"""A flow as the engine holds it, whatever spelling it came in; see `reading`."""

from __future__ import annotations

import msgspec

MAX_NODES = 2_000
MAX_WIRES = 20_000


class Variable(msgspec.Struct, frozen=True):
    """A flow's variable: `type` is string, number, boolean or json; `value` as it was written."""

    name: str
    type: str = "string"
    value: object = ""


class NodeSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node: `config` is its type's own. `x` and `y` are for editors. A node that came of a Node-RED subflow has the
    instance's `variables`, and the `flow` context of that instance (`inside` is its id)."""

    id: str
    type: str
    name: str = ""
    config: dict[str, object] = {}
    x: float | None = None
    y: float | None = None
    disabled: bool = False
    inside: str = ""
    variables: tuple[Variable, ...] = ()


class Wire(msgspec.Struct, frozen=True):
    """From output port `output` (0 is the first; None: from each) of node `source` to node `target`."""

    source: str
    target: str
    output: int | None = None


class Flow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A flow. `skipped` names what a spelling had that no node came of (a Node-RED tab's config nodes, groups)."""

    id: str
    name: str = ""
    description: str = ""
    nodes: tuple[NodeSpec, ...] = ()
    wires: tuple[Wire, ...] = ()
    variables: tuple[Variable, ...] = ()
    skipped: tuple[str, ...] = ()


class FlowRefused(Exception):
    """The flow cannot run or be read. `str(error)` is a sentence that says what to do; `problems` one for each fault,
    each naming its node."""

    def __init__(self, problems: list[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__(" ".join(self.problems))


class FlowUnknown(Exception):
    """No flow with this id is deployed."""

    def __init__(self, flow_id: str) -> None:
        self.flow_id = flow_id
        super().__init__(f"There is no flow {flow_id} on this device. list_flows shows those that are.")
