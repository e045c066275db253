"""Reads a flow in every spelling that there is: the field runtime's four, the published REST shape, a bundle's
definition, Node-RED's JSON. What comes out is one `Flow`; what cannot be read is refused with the place named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..flow import Flow, FlowRefused
from .edgeflow import read_edgeflow
from .nodered import is_nodered, read_nodered

__all__ = ["read_flow", "read_flows"]


def read_flows(document: object, flow_id: str | None = None) -> list[Flow]:
    """All flows of a document: a Node-RED file has one a tab, a list of flows one an entry. Raises FlowRefused."""
    if isinstance(document, Flow):
        return [document]
    if is_nodered(document):
        return read_nodered(document, flow_id)
    if isinstance(document, Mapping):
        return [read_edgeflow(cast("Mapping[str, object]", document), flow_id)]
    if isinstance(document, list):
        entries = cast("list[object]", document)
        return [flow for entry in entries for flow in read_flows(entry)]
    raise FlowRefused("A flow is a JSON object with nodes and connections, or Node-RED's list of nodes.")


def read_flow(document: object, flow_id: str | None = None) -> Flow:
    """The one flow of a document. `flow_id` wins over what is written. Raises FlowRefused, also for several tabs."""
    flows = read_flows(document, flow_id)
    if len(flows) != 1:
        titles = ", ".join(flow.name or flow.id for flow in flows) or "none"
        raise FlowRefused(
            f"One flow is wanted, the document has {len(flows)} ({titles}). Give one tab at a time."
        )
    return flows[0]
