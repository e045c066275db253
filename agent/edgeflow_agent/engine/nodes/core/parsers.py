"""json-parser, xml-parser, csv-parser and yaml-parser: text to values and back."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from ...javalike import to_number, to_text
from ...message import Message, clone, new_id
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Path
from ...yamlread import read_yaml, write_yaml


class ParserConfig(NodeConfig):
    """`action`: empty turns text into a value and a value into text."""

    property: Annotated[str, Meta(title="Property")] = "payload"
    action: Annotated[Literal["", "obj", "str", "parse", "stringify"], Meta(title="Do")] = ""
    pretty: Annotated[bool, Meta(title="Text on several lines")] = False


class _Parser(Node[ParserConfig]):
    category = "processing"
    Config = ParserConfig

    async def start(self) -> None:
        self._path = Path(self.config.property or "payload")

    def forward(self, message: Message) -> int:
        value = self._path.get(message)
        if value is MISSING:
            return 0
        is_text = isinstance(value, (str, bytes))
        action = self.config.action
        if is_text and action not in ("str", "stringify"):
            text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            self._path.set(message, self.read(text))
        elif not is_text and action not in ("obj", "parse"):
            self._path.set(message, self.write(value))
        return 0

    def read(self, text: str) -> object:
        raise NotImplementedError

    def write(self, value: object) -> str:
        raise NotImplementedError


class JsonParser(_Parser):
    """Turns JSON text into a value, or a value into JSON text."""

    type = "json-parser"

    def read(self, text: str) -> object:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise NodeError(f"This is not JSON: {error}.") from None

    def write(self, value: object) -> str:
        try:
            data = msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise NodeError(f"This cannot be written as JSON: {error}.") from None
        return msgspec.json.format(data, indent=4 if self.config.pretty else -1).decode()


class YamlParser(_Parser):
    """Turns YAML text into a value, or a value into YAML text."""

    type = "yaml-parser"

    def read(self, text: str) -> object:
        return read_yaml(text)

    def write(self, value: object) -> str:
        return write_yaml(value)


class XmlConfig(NodeConfig):
    """`attr` and `chr`: the keys that attributes and text get."""

    property: Annotated[str, Meta(title="Property")] = "payload"
    attr: Annotated[str, Meta(title="Key of attributes")] = "$"
    chr: Annotated[str, Meta(title="Key of text")] = "_"


class XmlParser(Node[XmlConfig]):
    """Turns XML text into an object, as Node-RED does: each child a list; or an object into XML text."""

    type = "xml-parser"
    category = "processing"
    Config = XmlConfig

    async def start(self) -> None:
        self._path = Path(self.config.property or "payload")
        self._attr, self._chr = self.config.attr or "$", self.config.chr or "_"

    def forward(self, message: Message) -> int:
        value = self._path.get(message)
        if isinstance(value, (str, bytes)):
            self._path.set(message, self._read(value))
        elif isinstance(value, dict):
            self._path.set(message, self._write(cast("dict[str, object]", value)))
        return 0

    def _read(self, text: str | bytes) -> object:
        from xml.parsers.expat import ExpatError

        import xmltodict

        try:
            found: Any = xmltodict.parse(text, attr_prefix="@", cdata_key="#", disable_entities=True)
        except (ExpatError, ValueError) as error:
            raise NodeError(f"This is not XML: {error}.") from None
        return {name: self._shape(item) for name, item in cast("dict[str, object]", found).items()}

    def _shape(self, value: object) -> object:
        """xml2js's shape: attributes under one key, children in lists, an element of text only is that text."""
        if value is None:
            return ""
        if not isinstance(value, dict):
            return value
        attributes: dict[str, object] = {}
        shaped: dict[str, object] = {}
        for key, item in cast("dict[str, object]", value).items():
            if key.startswith("@"):
                attributes[key[1:]] = item
            elif key == "#":
                shaped[self._chr] = item
            else:
                entries = cast("list[object]", item) if isinstance(item, list) else [item]
                shaped[key] = [self._shape(entry) for entry in entries]
        return {**({self._attr: attributes} if attributes else {}), **shaped}

    def _write(self, value: dict[str, object]) -> str:
        import xmltodict

        if len(value) != 1:
            value = {"root": value}
        try:
            return xmltodict.unparse(self._unshape(value), attr_prefix="@", cdata_key="#", pretty=True)
        except (ValueError, TypeError) as error:
            raise NodeError(f"This cannot be written as XML: {error}.") from None

    def _unshape(self, value: object) -> Any:
        if isinstance(value, list):
            return [self._unshape(item) for item in cast("list[object]", value)]
        if not isinstance(value, dict):
            return None if value is None else to_text(value)
        made: dict[str, object] = {}
        for key, item in cast("dict[str, object]", value).items():
            if key == self._attr and isinstance(item, dict):
                for name, attribute in cast("dict[str, object]", item).items():
                    made["@" + name] = to_text(attribute)
            else:
                made["#" if key == self._chr else key] = self._unshape(item)
        return made


class CsvConfig(NodeConfig):
    """Node-RED's keys."""

    sep: Annotated[str, Meta(title="Separator", min_length=1)] = ","
    separator: str = ""
    hdrin: Annotated[bool | str, Meta(title="The first line has names")] = False
    hdrout: Annotated[str | bool, Meta(title="Write names: none, once, all")] = "none"
    temp: Annotated[str, Meta(title="Columns", description="names, with commas")] = ""
    columns: tuple[str, ...] = ()
    multi: Annotated[
        Literal["one", "mult", "each", "all"], Meta(title="Send", description="one a row, or a list")
    ] = "one"
    ret: Annotated[str, Meta(title="New line")] = "\\n"
    skip: Annotated[int, Meta(title="Lines to skip", ge=0)] = 0
    strings: Annotated[bool, Meta(title="Read numbers")] = True
    include_empty_strings: bool = msgspec.field(default=False, name="include_empty_strings")
    include_null_values: bool = msgspec.field(default=False, name="include_null_values")
    spec: str = "rfc"


class CsvParser(Node[CsvConfig]):
    """Turns CSV text into objects, one message each or all in a list; or objects into CSV text."""

    type = "csv-parser"
    category = "processing"
    Config = CsvConfig

    async def start(self) -> None:
        config = self.config
        self._separator = (config.separator or config.sep).replace("\\t", "\t")
        names = config.columns or tuple(name.strip() for name in config.temp.split(",") if name.strip())
        self._columns = list(names)
        self._newline = config.ret.replace("\\n", "\n").replace("\\r", "\r")
        self._written = False

    def receive(self, message: Message) -> None:
        payload = message.get("payload")
        if isinstance(payload, bytes):
            payload = payload.decode(errors="replace")
        if isinstance(payload, str):
            self._read(message, payload)
        elif isinstance(payload, (dict, list)):
            self._write(message, cast("object", payload))

    def _read(self, message: Message, text: str) -> None:
        config = self.config
        text = "\n".join(text.splitlines()[config.skip :]) if config.skip else text
        try:
            rows = [
                row for row in csv.reader(io.StringIO(text), delimiter=self._separator, strict=False) if row
            ]
        except csv.Error as error:
            raise NodeError(f"This is not CSV: {error}.") from None
        names = self._columns
        if config.hdrin in (True, "true") and rows:
            names = [name.strip() for name in rows.pop(0)]
        found = [self._shape(row, names) for row in rows]
        heading = ",".join(names or [f"col{place + 1}" for place in range(max(map(len, rows), default=0))])
        if config.multi in ("mult", "all"):
            message["payload"], message["columns"] = found, heading
            self.send(message)
            return
        group = new_id()
        for index, item in enumerate(found):
            own = clone(message) if index + 1 < len(found) else message
            own["payload"], own["columns"] = item, heading
            own["parts"] = {"id": group, "index": index, "count": len(found)}
            self.send(own)

    def _shape(self, row: list[str], names: list[str]) -> dict[str, object]:
        config = self.config
        made: dict[str, object] = {}
        for place, cell in enumerate(row):
            name = names[place] if place < len(names) else "" if names else f"col{place + 1}"
            if not name:
                continue
            if cell == "" and not config.include_empty_strings:
                if config.include_null_values:
                    made[name] = None
                continue
            made[name] = _number(cell) if config.strings else cell
        return made

    def _write(self, message: Message, payload: object) -> None:
        config = self.config
        rows = cast("list[object]", payload) if isinstance(payload, list) else [payload]
        if rows and not isinstance(rows[0], (dict, list)):
            rows = [rows]
        first = cast("dict[str, object]", rows[0]) if rows and isinstance(rows[0], dict) else {}
        names = self._columns or list(first)
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self._separator, lineterminator=self._newline)
        heads = str(config.hdrout).lower()
        if names and (heads in ("all", "true") or (heads == "once" and not self._written)):
            writer.writerow(names)
            self._written = True
        for row in rows:
            if isinstance(row, dict):
                known = cast("dict[str, object]", row)
                writer.writerow(
                    ["" if known.get(name) is None else to_text(known.get(name)) for name in names]
                )
            elif isinstance(row, list):
                writer.writerow([to_text(cell) for cell in cast("list[object]", row)])
        message["payload"], message["columns"] = out.getvalue(), ",".join(names)
        self.send(message)


def _number(cell: str) -> object:
    if not cell.strip() or (cell.lstrip("+-")[:1] == "0" and cell.lstrip("+-")[1:2].isdigit()):
        return cell  # 007 is a name, not a number.
    number = to_number(cell)
    return cell if number != number or abs(number) == float("inf") else number
