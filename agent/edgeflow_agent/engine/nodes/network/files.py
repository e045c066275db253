"""file-in, file-out and watch: files of the device, with the agent's rights."""

from __future__ import annotations

import asyncio
import codecs
import os
from pathlib import Path as FilePath
from typing import Annotated, Literal, cast

from msgspec import UNSET, Meta, UnsetType

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError

LIMIT = 16 * 1024 * 1024
_ENTRIES = 10_000


class FileInConfig(NodeConfig):
    """Field runtime: `format` utf8, binary, lines; Node-RED: utf8, lines, "", stream; with `sendError`."""

    filename: Annotated[str, Meta(title="File", description="empty: the message's `filename`")] = ""
    format: Annotated[str, Meta(title="As", examples=["utf8", "binary", "lines"])] = "utf8"
    encoding: Annotated[str, Meta(title="Encoding")] = "utf-8"
    watch: Annotated[bool, Meta(title="Read again when it changes")] = False
    filename_type: str = ""
    send_error: bool | UnsetType = UNSET
    """Node-RED writes it in each export: then the answer is the payload itself, not `payload.data`."""


class FileIn(Node[FileInConfig]):
    """Reads a file when a message comes: `payload.data`, or the payload itself in a flow of Node-RED."""

    type = "file-in"
    group = "network"
    Config = FileInConfig

    async def start(self) -> None:
        self._encoding = _encoding(self.config.encoding)
        if self.config.watch and self.config.filename:
            self.spawn(self._watch(FilePath(self.config.filename)))

    async def receive(self, message: Message) -> None:
        data = await asyncio.to_thread(_read, _name(self.config.filename, self.config.filename_type, message))
        await self._give(message, data)

    async def _watch(self, path: FilePath) -> None:
        last = await asyncio.to_thread(_stamp, path)
        while True:
            await asyncio.sleep(1.0)
            now = await asyncio.to_thread(_stamp, path)
            if now != last and now is not None:
                await self.room()
                await self._give(new_message(None), await asyncio.to_thread(_read, path))
            last = now

    async def _give(self, message: Message, data: bytes) -> None:
        kind = self.config.format
        message.setdefault("filename", self.config.filename)
        if kind in ("lines",):
            lines = data.decode(self._encoding, errors="replace").splitlines()
            if self.config.send_error is UNSET:
                self._put(message, list(lines))
                return
            for line in lines:
                await self.room()
                self.send({**self.clone(message), "payload": line})
            return
        raw = kind in ("binary", "", "stream")
        self._put(message, data if raw else data.decode(self._encoding, errors="replace"))

    def _put(self, message: Message, value: object) -> None:
        message["payload"] = {"data": value} if self.config.send_error is UNSET else value
        self.send(message)


class FileOutConfig(NodeConfig):
    """Field runtime's keys."""

    filename: Annotated[str, Meta(title="File", description="empty: the message's `filename`")] = ""
    action: Annotated[Literal["write", "append", "delete"], Meta(title="Do")] = "append"
    create_dir: Annotated[bool, Meta(title="Make the folder")] = False
    encoding: Annotated[str, Meta(title="Encoding")] = "utf-8"
    add_newline: Annotated[bool, Meta(title="A line for each")] = False
    overwrite_file: bool | str | None = None
    filename_type: str = ""


class FileOut(Node[FileOutConfig]):
    """Writes the payload (`payload.content` of a field flow) to a file, then passes the message on. A whole file is
    replaced at once: no reader sees half of it."""

    type = "file-out"
    category = "output"
    group = "network"
    Config = FileOutConfig

    async def start(self) -> None:
        self._encoding = _encoding(self.config.encoding)

    async def receive(self, message: Message) -> None:
        config = self.config
        path = _name(config.filename, config.filename_type, message)
        action = "write" if config.overwrite_file is True else config.action
        if action == "delete":
            await asyncio.to_thread(_delete, path)
            self.send(message)
            return
        payload = message.get("payload")
        if isinstance(payload, dict) and "content" in payload:
            payload = cast("dict[str, object]", payload)["content"]
        data = (
            payload
            if isinstance(payload, bytes)
            else to_text(payload).encode(self._encoding, errors="replace")
        )
        if config.add_newline:
            data += b"\n"
        await asyncio.to_thread(_write, path, data, action == "append", config.create_dir)
        self.send(message)


class WatchConfig(NodeConfig):
    """`files` is Node-RED's, with commas; `path` the field runtime's."""

    path: Annotated[str, Meta(title="File or folder")] = ""
    files: str = ""
    recursive: Annotated[bool, Meta(title="Folders within, too")] = False
    recurse: bool = False
    interval: Annotated[str | float, Meta(title="Look every (ms)")] = 1000


class Watch(Node[WatchConfig]):
    """Sends a message for each file that appears, changes or goes: the path as payload, `event` says which."""

    type = "watch"
    category = "input"
    group = "network"
    inputs = 0
    Config = WatchConfig

    async def start(self) -> None:
        written = [self.config.path, *self.config.files.split(",")]
        self._paths = [FilePath(text.strip()) for text in written if text.strip()]
        if not self._paths:
            raise NodeError("A watch node needs a file or a folder.")
        deep = self.config.recursive or self.config.recurse
        self._known = await asyncio.to_thread(_survey, self._paths, deep)
        self.spawn(self._look(deep))

    async def _look(self, deep: bool) -> None:
        seconds = max(0.05, read_duration(self.config.interval, "ms"))
        while True:
            await asyncio.sleep(seconds)
            now = await asyncio.to_thread(_survey, self._paths, deep)
            known, self._known = self._known, now
            for path in sorted(known.keys() | now.keys()):
                if known.get(path) == now.get(path):
                    continue
                event = "update" if path in known and path in now else "add" if path in now else "remove"
                await self.room()
                more: dict[str, object] = {
                    "event": event,
                    "file": os.path.basename(path),
                    "filename": path,
                    "size": now[path][1] if path in now else 0,
                }
                self.send(new_message(path, path, **more))


def _name(configured: str, kind: str, message: Message) -> FilePath:
    name: object = configured
    if kind == "msg":  # Node-RED: the name is a path in the message.
        from ...properties import Path

        name = Path(configured).get(message)
    name = name or message.get("filename")
    if not isinstance(name, str) or not name or "\0" in name:
        raise NodeError("There is no file name. Give the node one, or the message a `filename`.")
    return FilePath(name)


def _read(path: FilePath) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise NodeError(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > LIMIT:
        raise NodeError(f"{path} has more than {LIMIT >> 20} MiB.")
    return data


def _write(path: FilePath, data: bytes, append: bool, create: bool) -> None:
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        if append:
            with path.open("ab") as file:
                file.write(data)
            return
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise NodeError(f"{path} cannot be written: {error.strerror}.") from None


def _delete(path: FilePath) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise NodeError(f"{path} cannot be deleted: {error.strerror}.") from None


def _stamp(path: FilePath) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _survey(paths: list[FilePath], deep: bool) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for path in paths:
        entries = [path] if not path.is_dir() else list(path.rglob("*") if deep else path.iterdir())
        for entry in entries[:_ENTRIES]:
            stamp = _stamp(entry)
            if stamp is not None and not entry.is_dir():
                found[str(entry)] = stamp
    return found


def _encoding(name: str) -> str:
    try:
        return codecs.lookup("utf-8" if name in ("", "none", "utf8") else name).name
    except LookupError:
        raise NodeError(f"{name!r} is no encoding. Use for example utf-8 or latin-1.") from None
