"""What nodes remember: a store for each node, each flow and all flows together; kept on disk, see `Contexts`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, cast

import msgspec

from .message import clone_value

_log = logging.getLogger(__name__)
MAX_FILE_BYTES = 8 * 1024 * 1024


class Storage(Protocol):
    """Where contexts are kept: `state.StateFolder` is one. `write` is durable and whole when it returns."""

    def read(self, name: str, limit: int = ...) -> bytes | None: ...
    def write(self, name: str, data: bytes) -> None: ...
    def remove(self, name: str) -> None: ...


Watcher = Callable[[str, object], None]


class Context:
    """One store. Keys are property paths' first part; values are copied in and out, so that nobody shares them."""

    def __init__(
        self, values: dict[str, object] | None = None, changed: Callable[[], None] | None = None
    ) -> None:
        self._values: dict[str, object] = values if values is not None else {}
        self._changed = changed
        self._watchers: list[Watcher] = []

    def get(self, key: str, default: object = None) -> object:
        """The value of `key`, or `default`."""
        value = self._values.get(key, default)
        return clone_value(value)

    def set(self, key: str, value: object, *, by: Watcher | None = None) -> None:
        """Keep `value` under `key`; None removes it. `by` is a watcher that knows already."""
        if value is None:
            if self._values.pop(key, None) is None:
                return
        else:
            value = self._values[key] = clone_value(value)
        if self._changed is not None:
            self._changed()
        for watcher in self._watchers:
            if watcher is not by:
                watcher(key, value)

    def keys(self) -> list[str]:
        """The keys that have a value."""
        return list(self._values)

    def snapshot(self) -> dict[str, object]:
        """All values, copied."""
        return cast("dict[str, object]", clone_value(self._values))

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher(key, value)` after each change (None: removed) until the returned function is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def clear(self) -> None:
        """Forget everything."""
        for key in self.keys():
            self.set(key, None)


class Contexts:
    """All stores of the device: `contexts.json` for the global one, `context-FLOW.json` for a flow and its nodes.

    A change is on disk after `flush`, which the engine calls every few seconds and at its end: a power cut may undo
    the last seconds, never half of a store. Values that JSON cannot carry live in memory only.
    """

    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage
        self._dirty: set[str] = set()
        self._keys: dict[str, str] = {}
        self._flows: dict[str, _FlowContexts] = {}
        self.whole = Context(self._load(_GLOBAL).get("values"), lambda: self._dirty.add(_GLOBAL))

    @property
    def folder(self) -> str:
        """Where the storage keeps its files, if it says so: code of flows must not see it."""
        return str(getattr(self._storage, "path", ""))

    def flow(self, flow_id: str) -> Context:
        """The store of one flow."""
        return self._of(flow_id).flow

    def node(self, flow_id: str, node_id: str) -> Context:
        """The store of one node."""
        return self._of(flow_id).node(node_id)

    def forget_node(self, flow_id: str, node_id: str) -> None:
        """A node is gone from its flow: so is what it remembered."""
        self._of(flow_id).forget(node_id)

    def forget_flow(self, flow_id: str) -> None:
        """A flow is gone from the device."""
        self._flows.pop(flow_id, None)
        self._dirty.discard(flow_id)
        if self._storage is not None:
            self._storage.remove(_file(flow_id))

    @property
    def dirty(self) -> bool:
        """Whether `flush` has something to do."""
        return bool(self._dirty) and self._storage is not None

    def collect(self) -> list[tuple[str, bytes]]:
        """What must be written, as (file name, content), taken on the event loop; then `write` it anywhere."""
        files: list[tuple[str, bytes]] = []
        for key in sorted(self._dirty):
            if key == _GLOBAL:
                content: object = {"values": _storable(self.whole.snapshot())}
            elif key in self._flows:
                content = self._flows[key].content()
            else:
                continue
            data = msgspec.json.encode(content)
            if len(data) > MAX_FILE_BYTES:
                _log.error(
                    "The context of %s is %d bytes, over the limit of %d: it is not kept on disk. "
                    "Store less in it.",
                    key or "all flows",
                    len(data),
                    MAX_FILE_BYTES,
                )
                continue
            files.append((_file(key), data))
        self._keys = {_file(key): key for key in self._dirty}
        self._dirty.clear()
        return files

    def keep_dirty(self, files: list[tuple[str, bytes]]) -> None:
        """These could not be written: the next `collect` gives them again."""
        self._dirty.update(self._keys[name] for name, _ in files if name in self._keys)

    def write(self, files: list[tuple[str, bytes]]) -> None:
        """Write what `collect` gave; blocks. Raises StateError."""
        if self._storage is not None:
            for name, data in files:
                self._storage.write(name, data)

    def _of(self, flow_id: str) -> _FlowContexts:
        found = self._flows.get(flow_id)
        if found is None:
            stored = self._load(flow_id)
            found = self._flows[flow_id] = _FlowContexts(stored, lambda: self._dirty.add(flow_id))
        return found

    def _load(self, key: str) -> dict[str, dict[str, object]]:
        data = self._storage.read(_file(key), MAX_FILE_BYTES) if self._storage is not None else None
        if data is None:
            return {}
        try:
            return msgspec.json.decode(data, type=dict[str, dict[str, object]])
        except msgspec.DecodeError as error:
            _log.error("The stored context %s cannot be read (%s); it begins empty.", _file(key), error)
            return {}


class _FlowContexts:
    def __init__(self, stored: dict[str, dict[str, object]], changed: Callable[[], None]) -> None:
        self._changed = changed
        self.flow = Context(stored.get("values"), changed)
        self._nodes: dict[str, Context] = {
            key: Context(cast("dict[str, object]", values), changed)
            for key, values in stored.get("nodes", {}).items()
            if isinstance(values, dict)
        }

    def node(self, node_id: str) -> Context:
        if node_id not in self._nodes:
            self._nodes[node_id] = Context(changed=self._changed)
        return self._nodes[node_id]

    def forget(self, node_id: str) -> None:
        if self._nodes.pop(node_id, None) is not None:
            self._changed()

    def content(self) -> dict[str, object]:
        nodes = {key: _storable(context.snapshot()) for key, context in self._nodes.items() if context.keys()}
        return {"values": _storable(self.flow.snapshot()), "nodes": nodes}


_GLOBAL = ""


def _file(key: str) -> str:
    if key == _GLOBAL:
        return "contexts.json"
    safe = "".join(letter if letter.isalnum() or letter in "-_" else f"%{ord(letter):x}" for letter in key)
    return f"context-{safe}.json"


def _storable(values: dict[str, object]) -> dict[str, object]:
    """The values that JSON carries unchanged."""
    kept: dict[str, object] = {}
    for key, value in values.items():
        try:
            if msgspec.json.decode(msgspec.json.encode(value)) == value:
                kept[key] = value
        except (TypeError, ValueError, msgspec.MsgspecError):
            continue
    return kept
