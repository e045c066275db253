"""Our side of a python node's process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from ..node import NodeError

_HERE = Path(__file__).parent
_LINE = 32 * 1024 * 1024
_STARTS_WITHIN = 20.0
_SYSTEM = (
    "/usr/lib",
    "/lib",
    "/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
)


class Answer(msgspec.Struct):
    """A line of the process; see runner.py."""

    seq: int | None = None
    result: object = None
    error: str | None = None
    send: tuple[int, object] | None = None
    print: str | None = None
    missing: tuple[str, ...] | None = None
    refused: str | None = None


class Sandbox:
    """One process with walls around it. `say` gets what the code prints, `send` what it sends in between."""

    def __init__(self, say: Callable[[str], None], send: Callable[[int, object], None]) -> None:
        self.missing: tuple[str, ...] = ()
        self._say, self._send = say, send
        self._process: asyncio.subprocess.Process | None = None
        self._seq = 0

    async def open(
        self, python: str, code: str, name: str, memory: int, hidden: list[str], folders: list[str]
    ) -> None:
        """Start it and load the code. Raises NodeError: what the code has wrong, or that no wall stands."""
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                python, "-I", "-S", "-B", str(_HERE / "runner.py"), str(in_read), str(out_write),
                str(_HERE / "confine.py"),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(in_read, out_write), env={"LANG": "C.UTF-8"}, cwd="/",
            )  # fmt: skip
        except OSError as error:
            os.close(in_write)
            os.close(out_read)
            raise NodeError(f"{python} does not start: {error.strerror}. Check pythonPath.") from None
        finally:
            os.close(in_read)
            os.close(out_write)
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_LINE)
        self._in, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), os.fdopen(out_read, "rb", 0)
        )
        self._out, self._protocol = await loop.connect_write_pipe(_Writing, os.fdopen(in_write, "wb", 0))
        readable = [*_SYSTEM, *folders, *_libraries()]
        self._write({"code": code, "name": name, "memory": memory, "readable": readable, "hidden": hidden})
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                answer = await self._read()
        except TimeoutError:
            raise NodeError(f"{python} did not come up within {_STARTS_WITHIN:.0f} s.") from None
        self.missing = answer.missing or ()
        if answer.refused:
            raise NodeError(answer.refused)
        walls = ("namespaces", "system call filter")
        if all(any(entry.startswith(wall) for entry in self.missing) for wall in walls):
            raise NodeError(
                "This kernel lets no walls be put around Python code, so it does not run: "
                + "; ".join(self.missing) + ". Allow user namespaces or seccomp, or use a function node."
            )  # fmt: skip

    async def handle(self, message: object, seconds: float) -> object:
        """Give it a message; what the code returned. Raises NodeError; after a timeout or its end it must be opened
        anew: `alive` says."""
        self._seq += 1
        self._write({"seq": self._seq, "msg": _pack(message)})
        try:
            async with asyncio.timeout(seconds):
                while True:
                    answer = await self._read()
                    if answer.print is not None:
                        self._say(answer.print)
                    elif answer.send is not None:
                        self._send(answer.send[0], _unpack(answer.send[1]))
                    elif answer.seq == self._seq:
                        if answer.error is not None:
                            raise NodeError(answer.error)
                        return _unpack(answer.result)
        except TimeoutError:
            await self.close()
            raise NodeError(f"The code ran longer than its time limit of {seconds:g} s.") from None

    @property
    def alive(self) -> bool:
        """Whether it takes messages."""
        return self._process is not None and self._process.returncode is None

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        for transport in (getattr(self, "_in", None), getattr(self, "_out", None)):
            if transport is not None:
                cast("asyncio.Transport", transport).close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    def _write(self, frame: object) -> None:
        try:
            self._out.write(msgspec.json.encode(frame) + b"\n")
        except (TypeError, ValueError, OverflowError) as error:
            raise NodeError(f"The message cannot be given to Python: {error}.") from None

    async def _read(self) -> Answer:
        try:
            line = await self._reader.readline()
        except ValueError:
            await self.close()
            raise NodeError("The code put out more than it may at once.") from None
        if not line:
            process = self._process
            code = await process.wait() if process is not None else 0
            await self.close()
            raise NodeError(
                f"The Python process ended ({'signal' if code < 0 else 'status'} {abs(code)}): the code used more than "
                "its limits, or tried what it may not. It starts anew with the next message."
            )
        return msgspec.json.decode(line, type=Answer)


class _Writing(asyncio.BaseProtocol):
    """Nothing to hear on a pipe that is written."""


def _libraries() -> list[str]:
    """Where the standard library is and what it needs; not the site packages."""
    return [
        path
        for path in {
            sysconfig.get_path("stdlib"),
            sysconfig.get_path("platstdlib"),
            os.path.dirname(os.path.realpath(sys.executable)),
        }
        if path
    ]


def _pack(value: object) -> object:
    if isinstance(value, bytes):
        return {"__bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: _pack(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_pack(item) for item in cast("list[object]", value)]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _unpack(value: object) -> object:
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        if len(entries) == 1 and isinstance(text := entries.get("__bytes"), str):
            return base64.b64decode(text)
        return {key: _unpack(item) for key, item in entries.items()}
    if isinstance(value, list):
        return [_unpack(item) for item in cast("list[object]", value)]
    return value
