"""split: one message becomes many."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Annotated, Literal, cast

from msgspec import Meta

from ...javalike import to_text
from ...message import Message, clone, clone_value, new_id
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Path

_MANY = 200


class SplitConfig(NodeConfig):
    """Node-RED's keys; the field runtime's `strSplit`, `arraySplitType` and `arraySpltLen` too."""

    splt: str = "\\n"
    splt_type: Literal["str", "len", "bin"] = "str"
    array_splt: Annotated[int | bool, Meta(title="List: entries a message")] = 1
    array_splt_type: Literal["len"] = "len"
    array_split_type: Annotated[Literal["", "each", "len"], Meta(title="List")] = ""
    array_splt_len: Annotated[int, Meta(ge=1)] = 1
    str_split: Annotated[str, Meta(title="Text: delimiter", description="\\n is a new line")] = ""
    stream: Annotated[bool, Meta(title="The text goes on in the next message")] = False
    addname: Annotated[str, Meta(title="Object: put the key into")] = ""
    property: Annotated[str, Meta(title="Property")] = "payload"


class Split(Node[SplitConfig]):
    """Sends a list's entries, a text's lines or an object's values one by one, with `parts` for a join."""

    type = "split"
    category = "processing"
    Config = SplitConfig

    async def start(self) -> None:
        config = self.config
        self._path = Path(config.property)
        written = config.str_split or config.splt
        self._delimiter = (
            written.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\\0", "\0")
        )
        self._length = 0
        if config.splt_type == "len":
            self._length = int(written) if written.isdigit() else 1
        elif config.splt_type == "bin":
            try:
                numbers = written.strip("[] ").split(",")
                self._delimiter = bytes(int(number, 0) for number in numbers).decode("latin-1")
            except ValueError:
                raise NodeError(f"The delimiter {written!r} is not a list of bytes.") from None
        entries = config.array_splt_len if config.array_split_type == "len" else config.array_splt
        self._entries = 1 if isinstance(entries, bool) else max(1, entries)
        self._rest: str = ""

    def receive(self, message: Message) -> Awaitable[None] | None:
        value = self._path.get(message)
        if value is MISSING or value is None:
            return None
        parts: Message = {"id": new_id()}
        if self.config.property != "payload":
            parts["property"] = self.config.property
        if isinstance(message.get("parts"), dict):
            parts["parts"] = message["parts"]
        pieces, count = self._divide(value, parts)
        if count > _MANY:
            return self._send_many(message, parts, pieces, count)
        for piece in self._messages(message, parts, pieces, count):
            self.send(piece)
        return None

    async def _send_many(
        self, message: Message, parts: Message, pieces: Iterator[tuple[str, object]], count: int
    ) -> None:
        for number, piece in enumerate(self._messages(message, parts, pieces, count)):
            if number % _MANY == 0:
                await self.room()
            self.send(piece)

    def _messages(
        self, message: Message, parts: Message, pieces: Iterator[tuple[str, object]], count: int
    ) -> Iterator[Message]:
        self._path.delete(message)
        for index, (key, piece) in enumerate(pieces):
            made = clone(message)
            self._path.set(made, piece)
            own: Message = {**parts, "count": count, "index": index}
            if key:
                own["key"] = key
                if self.config.addname:
                    Path(self.config.addname).set(made, key)
            made["parts"] = own
            made["_msgid"] = new_id()
            yield made

    def _divide(self, value: object, parts: Message) -> tuple[Iterator[tuple[str, object]], int]:
        if isinstance(value, dict):
            items = cast("dict[str, object]", value)
            parts["type"] = "object"
            return ((key, clone_value(item)) for key, item in items.items()), len(items)
        if isinstance(value, list):
            entries, step = cast("list[object]", value), self._entries
            parts["type"], parts["len"] = "array", step
            if step == 1:
                return (("", clone_value(entry)) for entry in entries), len(entries)
            starts = range(0, len(entries), step)
            return (("", clone_value(entries[start : start + step])) for start in starts), len(starts)
        if isinstance(value, bytes):
            parts["type"] = "buffer"
            if self._length:
                starts, step = range(0, len(value), self._length), self._length
                parts["len"] = step
                return (("", value[start : start + step]) for start in starts), len(starts)
            delimiter = self._delimiter.encode()
            parts["ch"] = list(delimiter)
            chunks = value.split(delimiter) if delimiter else [value]
            return (("", chunk) for chunk in chunks), len(chunks)
        text = to_text(value)
        parts["type"] = "string"
        parts["ch"] = "" if self._length else self._delimiter
        if self._length:
            parts["len"] = self._length
            starts, step = range(0, len(text), self._length), self._length
            return (("", text[start : start + step]) for start in starts), len(starts)
        if self.config.stream:
            text = self._rest + text
            *lines, self._rest = text.split(self._delimiter) if self._delimiter else [text, ""]
        else:
            lines = text.split(self._delimiter) if self._delimiter else list(text)
        return (("", line) for line in lines), len(lines)
