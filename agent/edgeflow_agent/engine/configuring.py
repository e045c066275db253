"""From a flow's written config to a node's typed one: the environment filled in, values converted, faults named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from .flow import NodeSpec
from .node import Node, NodeConfig

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


class ConfigInvalid(Exception):
    """A node's config does not fit its type; the text names the key and what it must be."""


def make_config(spec: NodeSpec, node: type[Node[NodeConfig]], environment: Mapping[str, str]) -> NodeConfig:
    """The typed config. Numbers and booleans may be written as text; an empty text means the default where no text
    fits. Raises ConfigInvalid.
    """
    written = {
        key: value if key in node.verbatim else fill_in(value, environment)
        for key, value in spec.config.items()
        if value is not None
    }
    while True:
        try:
            return msgspec.convert(written, node.Config, strict=False)
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$")
            key = re.split(r"[.\[`]", path.lstrip("."), maxsplit=1)[0]
            if written.get(key) == "":
                del written[key]
                continue
            where = f"{key!r}: " if key else ""
            raise ConfigInvalid(f"{where}{reason[:1].lower()}{reason[1:]}") from None


def fill_in(value: object, environment: Mapping[str, str]) -> object:
    """`${NAME}` replaced wherever a text has it; a name that the environment lacks stays as written."""
    if isinstance(value, str):
        return _NAME.sub(lambda found: environment.get(found[1], found[0]), value) if "${" in value else value
    if isinstance(value, dict):
        return {key: fill_in(item, environment) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [fill_in(item, environment) for item in cast("list[object]", value)]
    return value
