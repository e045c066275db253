"""python: Python of the flow's author, in a process with walls around it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated, cast

from msgspec import Meta

from ...duration import read_duration
from ...message import Message
from ...node import Node, NodeConfig, NodeError
from ...sandbox.bridge import Sandbox


class PythonConfig(NodeConfig):
    """The code is a function's body: `msg`, `node` (send, log) and `context` (a dict that lives as long as the process)
    are there; what it returns is sent, a list: one entry for each output."""

    code: Annotated[str, Meta(title="Code", extra_json_schema={"format": "code", "language": "python"})] = ""
    python_path: Annotated[str, Meta(title="Python", description="python3: the agent's own")] = "python3"
    timeout: Annotated[float | str, Meta(title="Time limit (seconds)")] = 30
    memory: Annotated[int, Meta(title="Memory limit (MiB)", ge=32, le=4096)] = 256
    outputs: Annotated[int, Meta(title="Outputs", ge=0, le=100)] = 1
    use_virtual_env: Annotated[bool, Meta(title="Use a virtual environment")] = False
    venv_path: Annotated[str, Meta(title="Its folder")] = ""


class Python(Node[PythonConfig]):
    """Runs Python for each message: no network, nothing that can be written, limits of time and memory."""

    type = "python"
    Config = PythonConfig

    def count_outputs(self) -> int:
        return self.config.outputs

    async def start(self) -> None:
        self._seconds = read_duration(self.config.timeout, "seconds") or 30.0
        self._sandbox = Sandbox(self.log, self._send)
        await self._open()
        if self._sandbox.missing:
            self.log("its walls are not whole on this kernel: " + "; ".join(self._sandbox.missing), "warning")

    async def receive(self, message: Message) -> None:
        if not self._sandbox.alive:
            await self._open()
        result = await self._sandbox.handle(message, self._seconds)
        identity = message.get("_msgid")
        outputs = cast("list[object]", result) if isinstance(result, list) else [result]
        for output, entry in enumerate(outputs):
            for made in cast("list[object]", entry) if isinstance(entry, list) else [entry]:
                if made is None:
                    continue
                if not isinstance(made, dict):
                    raise NodeError(f"The code must return a message (a dict), not {type(made).__name__}.")
                sent = cast("Message", made)
                sent.setdefault("_msgid", identity)
                self.send(sent, output)

    async def stop(self) -> None:
        await self._sandbox.close()

    async def _open(self) -> None:
        config = self.config
        python, folders = _find_python(config)
        name = f"python node {self.name or self.id}"
        secret = [
            folder
            for folder in (os.environ.get("EDGEFLOW_AGENT_DIR"), self.lane.host.contexts.folder)
            if folder
        ]
        await self._sandbox.open(python, config.code, name, config.memory * 1024 * 1024, secret, folders)

    def _send(self, output: int, message: object) -> None:
        if not isinstance(message, dict):
            raise NodeError(f"node.send needs a message (a dict), not {type(message).__name__}.")
        self.send(cast("Message", message), output)


def _find_python(config: PythonConfig) -> tuple[str, list[str]]:
    """The interpreter, and the folders it needs to read beside the system's."""
    if config.use_virtual_env:
        if not config.venv_path:
            raise NodeError("It uses a virtual environment, but venvPath names none.")
        return os.path.join(config.venv_path, "bin", "python"), [config.venv_path]
    if config.python_path in ("", "python3", "python"):
        return os.path.realpath(sys.executable), []
    found = shutil.which(config.python_path)
    if found is None:
        raise NodeError(f"There is no {config.python_path} on this device. Check pythonPath.")
    return found, [os.path.dirname(os.path.dirname(os.path.realpath(found)))]
