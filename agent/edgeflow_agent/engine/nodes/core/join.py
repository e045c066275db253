"""join: many messages become one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal, cast

from msgspec import Meta

from ...javalike import to_text
from ...message import Message, clone, clone_value
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Path

if TYPE_CHECKING:
    from .reducing import Reducer

GROUPS = 1_000
ENTRIES = 100_000


class JoinConfig(NodeConfig):
    """Node-RED's keys, which the field runtime's are among. `merge` is its word for building a merged object."""

    mode: Annotated[Literal["auto", "manual", "custom", "reduce", "merge"], Meta(title="Mode")] = "auto"
    build: Annotated[Literal["array", "object", "string", "buffer", "merged"], Meta(title="Build")] = "array"
    property: Annotated[str, Meta(title="Property")] = "payload"
    property_type: Literal["msg", "full"] = "msg"
    key: Annotated[str, Meta(title="Key of each value (for an object)")] = "topic"
    joiner: Annotated[str, Meta(title="Between texts")] = "\\n"
    joiner_type: Literal["str", "bin"] = "str"
    accumulate: Annotated[bool, Meta(title="Go on with what was joined")] = False
    timeout: Annotated[float, Meta(title="Send after (seconds)", ge=0)] = 0
    reduce_exp: Annotated[
        str,
        Meta(
            title="Reduce: expression",
            description="JSONata; $A so far, $I place, $N count",
            examples=["$A + payload"],
        ),
    ] = ""
    reduce_init: Annotated[object, Meta(title="Reduce: first $A")] = None
    reduce_init_type: Annotated[str, Meta(title="Its type")] = ""
    reduce_right: Annotated[bool, Meta(title="Reduce: from the last to the first")] = False
    reduce_fixup: Annotated[str, Meta(title="Reduce: last of all")] = ""
    count: Annotated[int, Meta(title="Send after so many messages", ge=0)] = 0


class _Group:
    """What has come of one sequence. `places` when its parts say where they belong."""

    def __init__(self, kind: str, target: int, joiner: object) -> None:
        self.kind, self.target, self.joiner = kind, target, joiner
        self.entries: list[object] = []
        self.places: dict[int, object] = {}
        self.object: dict[str, object] = {}
        self.message: Message = {}
        self.spread = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        if self.kind in ("object", "merged"):
            return len(self.object)
        return len(self.places) + len(self.entries)

    def values(self) -> list[object]:
        return [*(self.places[place] for place in sorted(self.places)), *self.entries]


class Join(Node[JoinConfig]):
    """Joins what a split divided, or so many messages, or those of so many seconds."""

    type = "join"
    category = "processing"
    Config = JoinConfig

    async def start(self) -> None:
        config = self.config
        self._reducer: Reducer | None = None
        if config.mode == "reduce":
            from .reducing import Reducer

            self._reducer = Reducer(self)
        self._path, self._key = Path(config.property), Path(config.key or "topic")
        self._groups: dict[str, _Group] = {}
        written = config.joiner.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
        self._joiner: object = written
        if config.joiner_type == "bin":
            try:
                self._joiner = bytes(
                    int(number, 0) for number in config.joiner.strip("[] ").split(",") if number
                )
            except ValueError:
                raise NodeError(f"The joiner {config.joiner!r} is not a list of bytes.") from None

    async def stop(self) -> None:
        for group in self._groups.values():
            if group.timer is not None:
                group.timer.cancel()
        self._groups.clear()
        self._reducer = None

    def receive(self, message: Message) -> None:
        if self._reducer is not None:
            if (made := self._reducer.take(message)) is not None:
                self.send(made)
            return
        parts = message.get("parts")
        known = cast("Message", parts) if isinstance(parts, dict) else {}
        auto = self.config.mode == "auto"
        if auto and "id" not in known:
            if "reset" in message:
                self._reset(None)
                return
            self.log("A message without parts cannot be joined in mode auto; it is dropped.", "warning")
            return
        name = str(known["id"]) if auto else "_"
        if "reset" in message:
            self._reset(name)
            return
        if auto:
            path = Path(str(known["property"])) if "property" in known else self._path
            value, key = path.get(message), known.get("key")
            kind, target = str(known.get("type") or "array"), known.get("count")
            joiner: object = known.get("ch", "")
            if isinstance(joiner, list):
                joiner = bytes(cast("list[int]", joiner))
        else:
            whole = self.config.property_type == "full"
            value = clone(message) if whole else self._path.get(message)
            key = self._key.get(message)
            kind, target = ("merged" if self.config.mode == "merge" else self.config.build), self.config.count
            joiner = self._joiner
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= GROUPS:
                raise NodeError(
                    f"{GROUPS:,} sequences are unfinished; this one is not begun. Give the join a timeout."
                )
            group = self._groups[name] = _Group(kind, target if isinstance(target, int) else 0, joiner)
            if not auto and self.config.timeout:
                loop = asyncio.get_running_loop()
                group.timer = loop.call_later(self.config.timeout, self._complete, name)
        self._add(group, value, key, known, auto)
        group.message.update(message)
        target = group.target or (known.get("count") if known and not self.config.count else 0)
        if auto and not group.target and isinstance(known.get("count"), int):
            group.target = cast(
                "int", known["count"]
            )  # Only the last part of a stream knows how many there are.
        if (isinstance(target, int) and 0 < target <= group.count) or "complete" in message:
            self._complete(name)
        elif group.count >= ENTRIES:
            del self._groups[name]
            raise NodeError(f"{ENTRIES:,} messages of one sequence did not complete it; they are dropped.")

    def _add(self, group: _Group, value: object, key: object, parts: Message, auto: bool) -> None:
        if group.kind == "merged":
            if isinstance(value, dict):
                group.object.update(cast("dict[str, object]", clone_value(cast("object", value))))
        elif group.kind == "object":
            if key is MISSING or key is None or key == "":
                return
            group.object[to_text(key)] = None if value is MISSING else value
        elif value is not MISSING:
            index = parts.get("index")
            length = parts.get("len")
            if auto and group.kind == "array" and isinstance(length, int) and length > 1:
                group.spread = True
            if isinstance(index, int):
                group.places[index] = value
            else:
                group.entries.append(value)

    def _complete(self, name: str) -> None:
        group = self._groups.get(name)
        if group is None:
            return
        if group.timer is not None:
            group.timer.cancel()
            group.timer = None
        if not self.config.accumulate or self.config.mode == "auto":
            del self._groups[name]
        message = clone(group.message)
        parts = message.get("parts")
        if isinstance(parts, dict) and isinstance(inner := cast("Message", parts).get("parts"), dict):
            message["parts"] = inner
        else:
            message.pop("parts", None)
        message.pop("complete", None)
        path = self._path
        if isinstance(parts, dict) and self.config.mode == "auto" and "property" in parts:
            path = Path(str(cast("Message", parts)["property"]))
        path.set(message, self._build(group))
        self.send(message)

    def _build(self, group: _Group) -> object:
        if group.kind in ("object", "merged"):
            return clone_value(group.object)
        values = group.values()
        if group.kind == "string":
            joiner = (
                group.joiner.decode(errors="replace")
                if isinstance(group.joiner, bytes)
                else str(group.joiner)
            )
            return joiner.join(to_text(value) for value in values)
        if group.kind == "buffer":
            joiner = group.joiner if isinstance(group.joiner, bytes) else str(group.joiner).encode()
            return joiner.join(
                value if isinstance(value, bytes) else to_text(value).encode() for value in values
            )
        if group.spread:
            flat: list[object] = []
            for value in values:
                flat.extend(cast("list[object]", value) if isinstance(value, list) else [value])
            return clone_value(flat)
        return clone_value(values)

    def _reset(self, name: str | None) -> None:
        for key in list(self._groups) if name is None else [name]:
            group = self._groups.pop(key, None)
            if group is not None and group.timer is not None:
                group.timer.cancel()
