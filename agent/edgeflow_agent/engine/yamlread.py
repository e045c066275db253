"""YAML, as the parsers and template read it: safe types only, imported when first used."""

from __future__ import annotations

from typing import Any

from .node import NodeError


def read_yaml(text: str) -> object:
    """The value. Raises NodeError with line and column."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NodeError(f"This is not YAML: {' '.join(str(error).split())}.") from None


def write_yaml(value: object) -> str:
    """The text, keys in their order. Raises NodeError."""
    import yaml

    try:
        return yaml.dump(value, Dumper=_make_dumper(), sort_keys=False, allow_unicode=True)
    except yaml.YAMLError as error:
        raise NodeError(f"This cannot be written as YAML: {error}.") from None


def _make_dumper() -> Any:
    """Lists are indented below their key, as most people write them (and js-yaml)."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    return Dumper
