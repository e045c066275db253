# pyright: basic
"""The process that runs one python node's code. It imports nothing of ours.

First line in: {code, name, memory, readable, hidden}; first line out: {missing: […]} or {refused}. Then a line for each
message: {seq, msg, seconds} in; out any number of {send: [output, msg]} and {print: text}, then {seq, result} or
{seq, error}. The code is the body of a function `(msg, node, context)`: what it returns is sent, a list: one entry for
each output.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import textwrap
import traceback
from collections.abc import Callable

_OUT_LIMIT = 16 * 1024 * 1024


def main() -> None:
    inward = open(int(sys.argv[1]), "rb", buffering=1 << 16)  # noqa: SIM115
    outward = open(int(sys.argv[2]), "wb", buffering=0)  # noqa: SIM115
    namespace: dict[str, object] = {"__name__": "confine"}
    with open(sys.argv[3], encoding="utf-8") as file:
        exec(compile(file.read(), sys.argv[3], "exec"), namespace)  # noqa: S102  our own file, see confine.py
    given = json.loads(inward.readline())

    def put(**frame: object) -> None:
        text = json.dumps(frame, default=_spell)
        if len(text) > _OUT_LIMIT:
            raise ValueError(f"more than {_OUT_LIMIT // 1024 // 1024} MiB at once")
        data = memoryview(text.encode() + b"\n")
        while data:
            data = data[outward.write(data) :]

    for name in (
        "datetime",
        "math",
        "re",
        "random",
        "statistics",
        "collections",
        "itertools",
        "functools",
        "struct",
    ):
        __import__(name)  # What most code uses, before the walls: faster, and works without Landlock's help.
    confine = namespace["confine_python"]
    missing = confine(given["memory"], given["readable"], given["hidden"])  # type: ignore[operator]
    try:
        handle = compile_body(given["code"], given["name"])
    except SyntaxError as error:
        put(missing=missing, refused=f"SyntaxError: {error.msg} (line {(error.lineno or 2) - 1})")
        return
    put(missing=missing)
    printed = Printed(put)
    sys.stdout = sys.stderr = printed  # type: ignore[assignment]
    sys.stdin = io.StringIO()
    node = Node(put)
    context: dict[str, object] = {}
    for line in inward:
        frame = json.loads(line, object_hook=_revive)
        try:
            result = handle(frame["msg"], node, context)
            printed.finish()
            put(seq=frame["seq"], result=result)
        except MemoryError:
            put(seq=frame["seq"], error="MemoryError: the code used more memory than its limit")
        except SystemExit:
            put(seq=frame["seq"], error="SystemExit: the code asked to end; return instead")
        except BaseException as error:
            printed.finish()
            place = next(
                (
                    f.lineno
                    for f in reversed(traceback.extract_tb(error.__traceback__))
                    if f.filename == given["name"]
                ),
                None,
            )
            where = f" (line {place - 1})" if place else ""
            put(seq=frame["seq"], error=f"{type(error).__name__}: {error}{where}")


def compile_body(code: str, name: str) -> Callable[[object, object, object], object]:
    """The code as a function. A body without `return` returns `msg`, as the code left it."""
    body = textwrap.indent(code.expandtabs(4), "    ")
    source = f"def handle(msg, node, context):\n{body}\n    return msg\n"
    namespace: dict[str, object] = {}
    exec(compile(source, name, "exec"), namespace)  # noqa: S102  it is what this process is for
    return namespace["handle"]  # type: ignore[return-value]


class Node:
    """What the code may do beside returning."""

    def __init__(self, put: Callable[..., None]) -> None:
        self._put = put

    def send(self, msg: object, output: int = 0) -> None:
        """Send a message now."""
        self._put(send=[output, msg])

    def log(self, *values: object) -> None:
        """Write to the device's log."""
        self._put(print=" ".join(map(str, values)))


class Printed(io.TextIOBase):
    """`print` goes to the device's log, a line at a time."""

    def __init__(self, put: Callable[..., None]) -> None:
        self._put = put
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._put(print=line[:8192])
        self._line = self._line[:8192]
        return len(text)

    def finish(self) -> None:
        if self._line:
            self._put(print=self._line)
            self._line = ""


def _spell(value: object) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"__bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()  # type: ignore[attr-defined]
    raise TypeError(f"a {type(value).__name__} cannot be sent")


def _revive(value: dict[str, object]) -> object:
    if len(value) == 1 and isinstance(value.get("__bytes"), str):
        return base64.b64decode(str(value["__bytes"]))
    return value


if __name__ == "__main__":
    main()
