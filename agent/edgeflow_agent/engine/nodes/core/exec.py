"""exec: a command of the device."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from typing import Annotated

from msgspec import Meta

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message, clone
from ...node import Node, NodeConfig, NodeError

LIMIT = 1024 * 1024


class ExecConfig(NodeConfig):
    """Field runtime: `command appendPayload useSpawn timeout` (seconds); Node-RED: `addpay append oldrc timer`."""

    command: Annotated[str, Meta(title="Command", min_length=1)]
    append_payload: Annotated[bool, Meta(title="Append the payload")] = False
    use_spawn: Annotated[bool | str, Meta(title="Send output as it comes")] = False
    timeout: Annotated[str | float, Meta(title="Time limit (seconds)")] = 10
    addpay: str | bool = ""
    append: str = ""
    oldrc: bool | str | None = None
    timer: str | float = ""


class Exec(Node[ExecConfig]):
    """Runs a command in a shell, with the agent's rights. Ports: output, errors, result (Node-RED); a field flow has
    one, with `payload.stdout stderr code`."""

    type = "exec"
    outputs = 3
    concurrency = 4
    Config = ExecConfig

    async def start(self) -> None:
        config = self.config
        self._node_red = config.oldrc is not None  # Each export of Node-RED has it.
        written = config.timer if config.timer != "" else config.timeout
        self._seconds = read_duration(written, "seconds") if written not in ("", 0, "0") else None
        self._running: set[asyncio.subprocess.Process] = set()

    async def receive(self, message: Message) -> None:
        config = self.config
        if "kill" in message:
            for process in self._running:
                _kill(process, signal.SIGTERM)
            return
        command = config.command
        if config.append_payload or config.addpay in (True, "true", "payload"):
            command += " " + _quote(to_text(message.get("payload", "")))
        if config.append:
            command += " " + config.append
        process = await asyncio.create_subprocess_shell(
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
        self._running.add(process)
        try:
            if config.use_spawn in (True, "true"):
                await self._stream(process, message)
            else:
                await self._gather(process, message)
        finally:
            self._running.discard(process)
            if process.returncode is None:
                _kill(process, signal.SIGKILL)
                await process.wait()

    async def _gather(self, process: asyncio.subprocess.Process, message: Message) -> None:
        assert process.stdout is not None and process.stderr is not None  # noqa: S101
        late = False
        try:
            async with asyncio.timeout(self._seconds):
                out, err = await asyncio.gather(_read(process.stdout), _read(process.stderr))
                code = await process.wait()
        except TimeoutError:
            _kill(process, signal.SIGKILL)
            out, err, code, late = b"", b"", await process.wait(), True
        if self._node_red:
            result: dict[str, object] = (
                {"code": code} if code >= 0 else {"signal": signal.Signals(-code).name}
            )
            if late:
                result["killed"] = True
            if err or late:
                self.send({**clone(message), "payload": _text(err), "rc": result}, 1)
            self.send({**clone(message), "payload": _text(out), "rc": result}, 0)
            self.send({**message, "payload": result}, 2)
            return
        payload: dict[str, object] = {"stdout": _text(out), "stderr": _text(err), "code": code}
        if late:
            payload["error"] = f"took longer than {self._seconds:g} s"
        elif code:
            payload["error"] = f"exit status {code}"
        message["payload"] = payload
        self.send(message)

    async def _stream(self, process: asyncio.subprocess.Process, message: Message) -> None:
        async def forward(stream: asyncio.StreamReader, output: int) -> None:
            while chunk := await stream.read(65536):
                await self.room()
                self.send({**clone(message), "payload": _text(chunk)}, output)

        assert process.stdout is not None and process.stderr is not None  # noqa: S101
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await asyncio.gather(forward(process.stdout, 0), forward(process.stderr, 1))
                await process.wait()
        if process.returncode is None:
            _kill(process, signal.SIGKILL)
        code = await process.wait()
        message["payload"] = {"code": code} if code >= 0 else {"signal": signal.Signals(-code).name}
        self.send(message, 2)


async def _read(stream: asyncio.StreamReader) -> bytes:
    data = bytearray()
    while chunk := await stream.read(65536):
        data += chunk
        if len(data) > LIMIT:
            raise NodeError(
                f"The command wrote more than {LIMIT // 1024} KiB. Send its output as it comes instead."
            )
    return bytes(data)


def _text(data: bytes) -> object:
    """Text; bytes stay bytes when they are none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _quote(text: str) -> str:

    return shlex.quote(text)


def _kill(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """The command and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
