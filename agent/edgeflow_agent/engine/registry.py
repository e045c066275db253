"""Which node types there are: ours, and third parties' by entry point. A class is imported when first asked for."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import cast

from .node import Node, NodeConfig
from .nodes import BUILTIN

_log = logging.getLogger(__name__)
GROUP = "edgeflow_agent.nodes"


class UnknownType(Exception):
    """No such node type, or its code cannot be loaded; the text names it and says what to do."""


class Registry:
    """Node types by name; `mqtt_out` is read as `mqtt-out`."""

    def __init__(self, places: Mapping[str, str] | None = None) -> None:
        self._places: dict[str, str] | None = dict(places) if places is not None else None
        self._classes: dict[str, type[Node[NodeConfig]]] = {}

    def names(self) -> list[str]:
        """All type names, sorted."""
        return sorted(self._find_places())

    def knows(self, name: str) -> bool:
        """Whether there is such a type; imports nothing."""
        places = self._find_places()
        return name in self._classes or name in places or name.replace("_", "-") in places

    def get(self, name: str) -> type[Node[NodeConfig]]:
        """The class of a type. Raises UnknownType."""
        found = self._classes.get(name) or self._classes.get(name.replace("_", "-"))
        if found is None:
            places = self._find_places()
            name = name if name in places else name.replace("_", "-")
            if name not in places:
                raise UnknownType(
                    f"This device has no node type {name!r}. Remove the node, or install the package that brings it."
                )
            found = self._classes[name] = _load(name, places[name])
        return found

    def add(self, node: type[Node[NodeConfig]]) -> None:
        """Make a class known under its `type`."""
        self._classes[node.type] = node
        self._find_places()[node.type] = f"{node.__module__}:{node.__name__}"

    def _find_places(self) -> dict[str, str]:
        if self._places is None:
            self._places = dict(BUILTIN)
            for point in entry_points(group=GROUP):
                if point.name in BUILTIN:
                    _log.warning(
                        "The package of %s cannot replace the node type %s.", point.value, point.name
                    )
                else:
                    self._places[point.name] = point.value
        return self._places


def _load(name: str, place: str) -> type[Node[NodeConfig]]:
    module, _, attribute = place.partition(":")
    try:
        found: object = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # A third party's module may raise anything.
        raise UnknownType(
            f"The node type {name!r} cannot be loaded ({type(error).__name__}: {error}). "
            "Install what it needs, or repair its package."
        ) from error
    if not (isinstance(found, type) and issubclass(found, Node)):
        raise UnknownType(f"The node type {name!r} is broken: {place} is not a class of nodes.")
    return cast("type[Node[NodeConfig]]", found)
