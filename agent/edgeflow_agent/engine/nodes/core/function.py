"""function: JavaScript of the flow's author, in QuickJS, in a process of its own; or the field runtime's rules."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...javascript.bridge import MEMORY, Bridge, pool
from ...message import ATOMS, Message
from ...node import Fill, Level, Node, NodeConfig, NodeError, Pending, Shape, current_run
from .function_rules import FunctionRule, compile_rules

_SECONDS = 5.0
_STARTS_WITHIN = 30.0
_decode = msgspec.json.Decoder(list[dict[str, object] | list[dict[str, object] | None] | None]).decode


class FunctionConfig(NodeConfig):
    """`func` (Node-RED) or `code`: JavaScript that returns a message, several (a list: one entry for each output), or
    nothing. `rules`: the field runtime's."""

    func: (
        Annotated[str, Meta(title="Code", extra_json_schema={"format": "code", "language": "javascript"})]
        | UnsetType
    ) = UNSET
    code: Annotated[
        str, Meta(extra_json_schema={"format": "code", "language": "javascript", "hidden": True})
    ] = ""
    initialize: Annotated[
        str, Meta(title="At start", extra_json_schema={"format": "code", "language": "javascript"})
    ] = ""
    finalize: Annotated[
        str, Meta(title="At stop", extra_json_schema={"format": "code", "language": "javascript"})
    ] = ""
    outputs: Annotated[int, Meta(title="Outputs", ge=0, le=100)] = 1
    timeout: Annotated[float, Meta(title="Time limit (seconds)", description="0: 5 s", ge=0)] = 0
    memory: Annotated[int, Meta(title="Memory limit (MiB)", ge=1, le=512)] = MEMORY // 1024 // 1024
    rules: Annotated[tuple[FunctionRule, ...], Meta(title="Rules")] = ()
    noerr: int = 0
    libs: tuple[object, ...] = ()


class Function(Node[FunctionConfig]):
    """Runs JavaScript for each message, with limits of time and memory."""

    type = "function"
    concurrency = 512
    Config = FunctionConfig
    verbatim = frozenset({"func", "code", "initialize", "finalize"})
    reads_environment = True

    def count_outputs(self) -> int:
        return self.config.outputs

    async def start(self) -> None:
        config = self.config
        self._bridge: Bridge | None = None
        self._rules = None
        self._code = config.code if config.func is UNSET else config.func or config.code
        if not self._code and (config.rules or config.func is UNSET):
            self._rules = compile_rules(self, config.rules)
            return
        if config.libs:
            raise NodeError(
                "Modules are not known here: a function has only the language and Node-RED's own objects."
            )
        self._seconds = config.timeout or _SECONDS
        self._seq = 0
        self._waiting: dict[int, tuple[Pending, list[object]]] = {}
        self._unwatch = [
            context.watch(Teller(self, scope))
            for scope, context in (("flow", self.flow_context), ("global", self.global_context))
        ]
        await self._load()

    async def stop(self) -> None:
        for unwatch in getattr(self, "_unwatch", []):
            unwatch()
        bridge = self._bridge
        if bridge is None:
            return
        self._bridge = None
        if bridge.alive:
            self._unloaded = asyncio.get_running_loop().create_future()
            bridge.put(b"X", self.number, 0, b"")
            try:
                async with asyncio.timeout(self._seconds + 1):
                    await self._unloaded
            except TimeoutError:
                self.log("its close code took too long", "warning")
        bridge.remove(self.number)
        await pool.leave(self, bridge)
        self._fail_waiting("The flow stopped.")

    def receive(self, message: Message) -> Pending | None:
        if self._rules is not None:
            self._rules(message)
            self.send(message)
            return None
        bridge = self._bridge
        if bridge is None or not bridge.alive:
            raise NodeError("The JavaScript process is starting anew; this message is not handled.")
        handles: list[object] = []
        buffers = False
        for value in message.values():
            if type(value) not in ATOMS or type(value) is bytes:
                packed = Packing(message)
                message, handles, buffers = packed.message, packed.handles, packed.buffers
                break
        self._seq = seq = self._seq + 1 & 0xFFFFFFFF
        pending = Pending()
        self._waiting[seq] = (pending, handles)
        try:
            body = msgspec.json.encode(message)
        except (TypeError, ValueError, OverflowError) as error:
            del self._waiting[seq]
            raise NodeError(f"The message cannot be given to JavaScript: {error}.") from None
        bridge.put(b"m" if buffers else b"M", self.number, seq, body)
        return pending

    # --- what the process says

    def answered(self, kind: bytes, seq: int, body: bytes) -> None:
        """A frame for this node, see worker.py."""
        if kind in b"RBNE":
            entry = self._waiting.pop(seq, None)
            if entry is None:
                return
            pending, handles = entry
            current_run.set(pending.run)
            if kind == b"E":
                text, _ = msgspec.json.decode(body, type=tuple[str, str])
                pending.finish(NodeError(text))
                return
            if kind != b"N":
                entered = self.lane.enter()
                try:
                    self._send(body, kind == b"B", handles)
                finally:
                    if entered:
                        self.lane.leave()
            pending.finish()
            return
        entry = self._waiting.get(seq)
        current_run.set(entry[0].run if entry is not None else None)
        if kind == b"S" or kind == b"b":
            self._send(body, kind == b"b", entry[1] if entry is not None else [])
        else:
            self._told(kind, body)
        current_run.set(None)

    def _told(self, kind: bytes, body: bytes) -> None:
        if kind == b"K":
            scope, key, value = msgspec.json.decode(body, type=tuple[str, str, object])
            context = {"node": self.context, "flow": self.flow_context}.get(scope, self.global_context)
            self._silent = scope
            context.set(key, value)
            self._silent = ""
        elif kind == b"T":
            text, fill, shape = msgspec.json.decode(body, type=tuple[str, str | None, str])
            self.status(text, cast("Fill | None", fill), cast("Shape", shape))
        elif kind == b"W":
            level, text = msgspec.json.decode(body, type=tuple[str, str])
            self.log(text, cast("Level", level))
        elif kind == b"Q":
            text, message = msgspec.json.decode(body, type=tuple[str, dict[str, object] | str | None])
            self.error(text, message if isinstance(message, dict) else None)
        elif kind == b"I" or kind == b"J":
            if not self._loaded.done():
                if kind == b"I":
                    self._loaded.set_result(None)
                else:
                    text, where = msgspec.json.decode(body, type=tuple[str, str])
                    line = " ".join(where.split())[:200]
                    self._loaded.set_exception(NodeError(f"{text}{f' ({line})' if line else ''}"))
        elif kind == b"X" and not self._unloaded.done():
            self._unloaded.set_result(None)

    def lost(self, reason: str) -> None:
        """The process is gone: what was under way fails, and the script is loaded into a new one."""
        self._fail_waiting(reason)
        if self._bridge is not None:
            self._bridge = None
            self.spawn(self._load_again())

    async def _load_again(self) -> None:
        await asyncio.sleep(0.2)
        try:
            await self._load()
        except NodeError as error:
            self.error(error)
            self.status("not loaded", "red", "ring")

    async def _load(self) -> None:
        config = self.config
        bridge = await pool.get(self, self._seconds)
        self.number = bridge.add(self)
        loop = asyncio.get_running_loop()
        self._loaded: asyncio.Future[None] = loop.create_future()
        self._unloaded: asyncio.Future[None] = loop.create_future()
        self._silent = ""
        self._bridge = bridge
        body = {
            "memory": config.memory * 1024 * 1024,
            "seconds": self._seconds,
            "script": {
                "code": self._code,
                "initialize": config.initialize,
                "finalize": config.finalize,
                "facts": {"id": self.id, "name": self.name, "flow": self.flow_id, "outputs": config.outputs},
                "env": dict(self.environment),
                "stores": {
                    "node": self.context.snapshot(),
                    "flow": self.flow_context.snapshot(),
                    "global": self.global_context.snapshot(),
                },
            },
        }
        bridge.put(b"L", self.number, 0, msgspec.json.encode(body, enc_hook=str))
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                await self._loaded
        except TimeoutError:
            raise NodeError(f"Its start code took longer than {_STARTS_WITHIN:.0f} s.") from None

    def tell(self, scope: str, key: str, value: object) -> None:
        """A context changed: the process knows a copy."""
        bridge = self._bridge
        if bridge is not None and bridge.alive and self._silent != scope:
            bridge.put(b"C", self.number, 0, msgspec.json.encode([scope, key, value], enc_hook=str))

    def _send(self, body: bytes, buffers: bool, handles: list[object]) -> None:
        for output, entry in enumerate(_decode(body)):
            if entry is None:
                continue
            for message in [entry] if isinstance(entry, dict) else entry:
                if message is not None:
                    if buffers or handles:
                        message = cast("Message", unpack(message, handles))
                    self.send(message, output)

    def _fail_waiting(self, reason: str) -> None:
        waiting = list(getattr(self, "_waiting", {}).values())
        if waiting:
            self._waiting.clear()
        for pending, _ in waiting:
            pending.finish(NodeError(reason))


class Teller:
    """Hears of a context's changes for a function."""

    def __init__(self, node: Function, scope: str) -> None:
        self._node, self._scope = node, scope

    def __call__(self, key: str, value: object) -> None:
        self._node.tell(self._scope, key, value)


class Packing:
    """A message as JSON carries it: bytes as Node's Buffer, handles by number."""

    def __init__(self, message: Message) -> None:
        self.handles: list[object] = []
        self.buffers = False
        self.message = cast("Message", self._pack(message))

    def _pack(self, value: object) -> object:
        kind = type(value)
        if kind is bytes:
            self.buffers = True
            return {"type": "Buffer", "data": list(cast("bytes", value))}
        if kind in ATOMS:
            return value
        if kind is dict:
            return {key: self._pack(item) for key, item in cast("dict[str, object]", value).items()}
        if kind is list:
            return [self._pack(item) for item in cast("list[object]", value)]
        self.handles.append(value)
        return {"__handle": len(self.handles) - 1}


def unpack(value: object, handles: list[object]) -> object:
    """The reverse of `Packing`, in what came back."""
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        if entries.get("type") == "Buffer" and isinstance(data := entries.get("data"), list):
            return bytes(cast("list[int]", data))
        if (
            len(entries) == 1
            and isinstance(number := entries.get("__handle"), int)
            and 0 <= number < len(handles)
        ):
            return handles[number]
        return {key: unpack(item, handles) for key, item in entries.items()}
    if isinstance(value, list):
        return [unpack(item, handles) for item in cast("list[object]", value)]
    return value
