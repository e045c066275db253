"""template: text from a message, by mustache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from ...message import Message
from ...mustache import Template as Compiled
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, set_typed
from ...yamlread import read_yaml


class TemplateConfig(NodeConfig):
    """Node-RED's keys; `output` says what the text is read as."""

    template: Annotated[
        str, Meta(title="Template", extra_json_schema={"format": "code", "language": "mustache"})
    ] = ""
    field: Annotated[str, Meta(title="Property")] = "payload"
    field_type: Annotated[
        Literal["", "msg", "flow", "global"],
        Meta(title="Property of", description="empty: of the message, else of its payload"),
    ] = ""
    syntax: Annotated[Literal["mustache", "plain"], Meta(title="Syntax")] = "mustache"
    output: Annotated[Literal["str", "json", "yaml", "parsed"], Meta(title="Read the text as")] = "str"
    format: str = ""


class Template(Node[TemplateConfig]):
    """Fills a mustache template from the message and sets a property to the text."""

    type = "template"
    category = "processing"
    Config = TemplateConfig

    async def start(self) -> None:
        config = self.config
        self._put = set_typed(self, config.field_type or "field", config.field)
        self._compiled = None
        self._read = _READERS.get(config.output)
        if config.syntax == "mustache" and config.template:
            self._compiled = Compiled(config.template)

    def forward(self, message: Message) -> int:
        compiled = self._compiled
        if compiled is not None:
            if not self.config.field_type and isinstance(payload := message.get("payload"), dict):
                values: Message = {**cast("Message", payload), **message}
            else:
                values = message
            text = compiled.render(values, self._look_up)
        elif self.config.syntax == "plain":
            text = self.config.template
        else:  # No template configured: the message may bring one.
            given = message.get("template")
            text = Compiled(given if isinstance(given, str) else "").render(message, self._look_up)
        self._put(message, text if self._read is None else self._read(text))
        return 0

    def _look_up(self, name: str) -> object:
        """`flow.x`, `global.x` and `env.X`, which a message does not have."""
        place, _, key = name.partition(".")
        if place == "env":
            return self.environment.get(key, MISSING)
        context = {"flow": self.flow_context, "global": self.global_context}.get(place)
        return MISSING if context is None or not key else context.get(key, MISSING)


def _read_json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise NodeError(f"The filled template is not JSON: {error}.") from None


_READERS: dict[str, Callable[[str], object]] = {"json": _read_json, "yaml": read_yaml, "parsed": read_yaml}
