"""A small cloud that speaks protocol.md on one port, for the agent's tests: real sockets, no mocks.

What the agent may not notice is kept simple; what it depends on is exact: one-time codes with re-claim,
refusals and close codes, epochs, acks after "commit", shadows with merge, version and delta. Its switches
(`hold_acks`, `deaf`, `refuse`, ...) make the faults that a test needs; `stop` and `start` on the same port
are a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from edgeflow_protocol import bundle
from edgeflow_protocol.shadow import delta, merge

KEY_TAIL = "0123456789abcdef0123456789abcdef"


@dataclass
class Line:
    """One tunnel that the double saw."""

    socket: ServerConnection
    hello: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]


@dataclass
class CloudDouble:
    """The cloud. Everything is public: tests look and meddle."""

    capabilities: list[str] = field(default_factory=lambda: ["telemetry", "shadow", "events", "logs"])
    heartbeat: float = 30.0
    codes: dict[str, str | None] = field(default_factory=dict)
    hardware: dict[str, object] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    shadows: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    signers: list[Ed25519PrivateKey] = field(default_factory=list)
    bundles: dict[str, bytes] = field(default_factory=dict)
    expired: bool = False
    server_time: str = ""
    date: str = ""
    reports: dict[tuple[str, str, int], list[dict[str, Any]]] = field(default_factory=dict)
    batches: dict[tuple[str, int], str] = field(default_factory=dict)
    resent: list[tuple[str, int]] = field(default_factory=list)
    contradictions: list[tuple[str, int]] = field(default_factory=list)
    hold_acks: bool = False
    never_store: bool = False
    busy_reports: int = 0
    deaf: bool = False
    refuse: tuple[dict[str, Any], int] | None = None
    answer_provision: tuple[int, Any] | None = None
    drop_provision_answers: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None

    async def start(self) -> CloudDouble:
        self._tunnels: Server = await serve(
            self._tunnel, "127.0.0.1", 0, ping_interval=None, compression=None
        )
        self._inner = next(iter(self._tunnels.sockets)).getsockname()[1]
        self._writers: set[asyncio.StreamWriter] = set()
        self._front = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._front.sockets[0].getsockname()[1]
        return self

    async def stop(self, code: int | None = None) -> None:
        """Gone at once, as by kill -9; with `code` every tunnel is closed with it first."""
        self._front.close()
        if code is not None:
            await asyncio.gather(*(line.socket.close(code) for line in self.lines), return_exceptions=True)
        self.cut()
        self._tunnels.close(close_connections=True)
        await self._tunnels.wait_closed()

    def cut(self) -> None:
        """Every connection breaks, without a farewell."""
        for writer in list(self._writers):
            writer.transport.abort()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def line(self) -> Line:
        return self.lines[-1]

    @property
    def samples(self) -> int:
        return sum(len(json.loads(body)) for body in self.batches.values())

    def add_device(self, device_id: str = "dev_1") -> str:
        self.keys[device_id] = f"efk_{device_id}_{KEY_TAIL}"
        return self.keys[device_id]

    def shadow(self, device_id: str) -> dict[str, Any]:
        return self.shadows.setdefault(device_id, {"version": 1, "desired": {}, "reported": {}})

    def document(self, device_id: str) -> dict[str, Any]:
        shadow = self.shadow(device_id)
        return {
            "device_id": device_id,
            **shadow,
            "delta": delta(shadow["desired"], shadow["reported"]),
            "metadata": {"desired": {}, "reported": {}},
            "updated_at": "2026-11-01T00:00:00Z",
        }

    async def desire(self, device_id: str, change: dict[str, Any]) -> None:
        """A person edits desired; a negotiated line is told."""
        shadow = self.shadow(device_id)
        shadow["desired"] = merge(shadow["desired"], change)
        shadow["version"] += 1
        if self.lines and self.line.close_code is None and "shadow" in self.capabilities:
            document = self.document(device_id)
            await self.line.send(
                type="shadow_desired",
                version=document["version"],
                desired=document["desired"],
                delta=document["delta"],
            )

    async def command(
        self, command_id: str, action: str, payload: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send a command on the newest line and wait for a response with its id that came after."""
        line, before = self.line, len(self.line.of_type("response"))
        await line.send(type="command", id=command_id, action=action, payload=payload or {})
        async with asyncio.timeout(5):
            while True:
                for frame in line.of_type("response")[before:]:
                    if frame["id"] == command_id:
                        return frame
                await asyncio.sleep(0.01)

    async def _tunnel(self, socket: ServerConnection) -> None:
        try:
            hello = json.loads(await socket.recv())
        except ConnectionClosed:
            return  # It was killed before it said who it is.
        line = Line(socket, hello)
        device_id = hello.get("device_id", "")
        if self.refuse is not None or self.keys.get(device_id) != hello.get("api_key"):
            frame, code = self.refuse or ({"error": "Unknown device or wrong key."}, 4401)
            await socket.send(json.dumps({"type": "error", **frame}))
            await socket.close(code)
            line.close_code = code
            self.lines.append(line)
            return
        common = [name for name in hello.get("capabilities", []) if name in self.capabilities]
        await line.send(
            type="connected",
            session_id=f"ses_{len(self.lines)}",
            epoch=len(self.lines) + 1,
            heartbeat_interval=self.heartbeat,
            server_time=self.server_time or datetime.now(UTC).isoformat(),
            capabilities=common,
        )
        self.lines.append(line)
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = json.loads(await socket.recv())
                line.frames.append(frame)
                if not self.deaf:
                    await self._receive(line, device_id, frame)
        line.close_code = socket.close_code

    async def _receive(self, line: Line, device_id: str, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ping":
                await line.send(type="pong")
            case "telemetry":
                await self._store(line, frame)
            case "events" | "logs" as kind:
                entries = frame["events" if kind == "events" else "lines"]
                self.reports[kind, frame["boot_id"], frame["sequence"]] = entries
                if not self.hold_acks:
                    await line.send(
                        type="ack", frame=kind, boot_id=frame["boot_id"], sequence=frame["sequence"]
                    )
            case "shadow_reported" if self.busy_reports > 0:
                self.busy_reports -= 1
                await line.send(type="error", id=frame["id"], error="Busy.", code="busy", retry_after=0.1)
            case "shadow_reported":
                shadow = self.shadow(device_id)
                shadow["reported"] = merge(shadow["reported"], frame["reported"])
                shadow["version"] += 1
                document = self.document(device_id)
                await line.send(
                    type="shadow_accepted",
                    id=frame["id"],
                    version=document["version"],
                    delta=document["delta"],
                )
            case "command" if frame["action"] == "get_shadow":
                data = self.document(device_id)
                await line.send(type="response", id=frame["id"], status="success", data=data)
            case _:
                pass

    async def _store(self, line: Line, frame: dict[str, Any]) -> None:
        key, body = (frame["boot_id"], frame["sequence"]), json.dumps(frame["samples"])
        if self.never_store:
            await line.send(
                type="ack", frame="telemetry", boot_id=key[0], sequence=key[1], error="It cannot be."
            )
            return
        if key in self.batches:
            self.resent.append(key)
            if self.batches[key] != body:
                self.contradictions.append(key)
        else:
            self.batches[key] = body
        if not self.hold_acks:
            await line.send(type="ack", frame="telemetry", boot_id=key[0], sequence=key[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /tunnel "):
                await self._relay(head, reader, writer)
            else:
                await self._rest(head, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _relay(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner)
        inner_writer.write(head)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    async def _rest(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"null")
        self.requests.append((method, path, body))
        if path.startswith(("/bundles/", "/blobs/")):
            name = path.removeprefix("/bundles/").removeprefix("/blobs/").partition("?")[0]
            content = None if self.expired else self.bundles.get(name)
            content = content or (self.bundles.get(path.rpartition("/")[2]) if "fresh" in path else None)
            status = 200 if content is not None else 403
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content or b'')}\r\n\r\n".encode())
            writer.write(content or b"")
            await writer.drain()
            return
        if path == "/api/v1/devices/provision":
            status, answer = self._provision(body)
            if self.drop_provision_answers > 0:
                self.drop_provision_answers -= 1
                writer.transport.abort()
                return
        elif path == "/api/v1/instance":
            status, answer = 200, {"name": "Double", "version": "0"}
        else:
            status, answer = self._shadow_rest(method, path, headers.get("x-api-key", ""), body)
        content = json.dumps(answer).encode()
        start = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            f"Date: {self.date or email.utils.formatdate(usegmt=True)}\r\n\r\n"
        )
        writer.write(start.encode() + content)
        await writer.drain()

    def _provision(self, body: dict[str, Any]) -> tuple[int, Any]:
        if self.answer_provision is not None:
            return self.answer_provision
        code = body["provisioning_code"]
        hardware = (body["network_info"].get("mac_address"), body["hardware_info"].get("board_model"))
        device_id = self.codes.get(code, "unknown")
        if device_id == "unknown" or (device_id is not None and self.hardware[device_id] != hardware):
            return 403, {"error": "The code is unknown, used or expired.", "code": "code_refused"}
        if device_id is None:
            device_id = self.codes[code] = f"dev_{len(self.hardware) + 1}"
            self.hardware[device_id] = hardware
        key = self.keys[device_id] = f"efk_{len(self.requests)}_{KEY_TAIL}"
        answer: dict[str, Any] = {"device_id": device_id, "api_key": key}
        if body["hardware_info"].get("agent") == "edgeflow-agent" and self.signers:
            answer["flow_keys"] = self.flow_keys()
        return 201, answer

    def flow_keys(self) -> list[dict[str, str]]:
        """The chain, the oldest first."""
        keys: list[dict[str, str]] = []
        for number, signer in enumerate(self.signers):
            raw = signer.public_key().public_bytes_raw()
            key = {"key_id": bundle.key_id_of(raw), "public_key": bundle.encode_base64(raw)}
            if number:
                elder = self.signers[number - 1]
                key["endorsed_by"] = keys[-1]["key_id"]
                key["endorsement"] = bundle.encode_base64(elder.sign(bundle.endorsed_message(raw)))
            keys.append(key)
        return keys

    def sign(self, flow_id: str, version: int | str, definition: dict[str, Any]) -> dict[str, Any]:
        """A signed flow, as it is desired."""
        data = bundle.write_bundle(flow_id, version, definition)
        sha256 = bundle.digest(data)
        self.bundles[sha256] = data
        return {
            "version": version,
            "enabled": True,
            "bundle": {
                "url": f"http://{self.address}/bundles/{sha256}?signature=x",
                "sha256": sha256,
                "signature": bundle.encode_base64(self.signers[-1].sign(bundle.signed_message(data))),
                "key_id": self.flow_keys()[-1]["key_id"],
            },
        }

    def events(self, code: str = "") -> list[dict[str, Any]]:
        """Device events that came, of one code or all."""
        found = [entry for key, entries in self.reports.items() if key[0] == "events" for entry in entries]
        return [entry for entry in found if not code or entry.get("code") == code]

    def _shadow_rest(self, method: str, path: str, key: str, body: Any) -> tuple[int, Any]:
        device_id = path.split("/")[4]
        if self.keys.get(device_id) != key:
            return 401, {"error": "Unknown device or wrong key."}
        if path.endswith("/flow-keys"):
            return 200, {"flow_keys": self.flow_keys()}
        if "/flow-bundles/" in path:
            sha256 = path.rpartition("/")[2]
            known = sha256 in self.bundles
            url = f"http://{self.address}/bundles/fresh/{sha256}"
            return (200, {"url": url}) if known else (404, {"error": "There is no such flow bundle."})
        if method == "PUT":
            shadow = self.shadow(device_id)
            shadow["reported"] = merge(shadow["reported"], body["reported"])
            shadow["version"] += 1
        return 200, self.document(device_id)
