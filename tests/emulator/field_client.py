"""A twin of the Go client in the field: what it does, when, and how it breaks (protocol.md, field-device.md
6).

Nothing here is kinder than the original. Where the original process would die, `crashed` says so and the
socket is cut; where the cloud breaks a rule that keeps the original alive, `violations` has a sentence.
`scale` shortens every wait of the client (0.01: 5 s become 50 ms); what the client waits for on the network
is scaled too.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

import httpx2 as httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.emulator.field_answers import Refused, answer
from tests.emulator.field_wire import Message, Undecodable, decode, decode_shadow, now_text

DIAL = 10.0
ANSWER = 10.0
REST = 10.0
PING = 30.0
POLL = 300.0
OWN_COMMAND = 30.0
RECONNECTS = (5.0, 10.0, 15.0, 20.0, 25.0)

HARDWARE = {
    "os": "linux",
    "arch": "arm64",
    "kernel": "",
    "board_model": "Raspberry Pi 4 Model B Rev 1.4\0",  # device-tree text ends in NUL
    "cpu_cores": 4,
    "ram_mb": 3,  # the Go heap, not the RAM
}
NETWORK = {
    "hostname": "edge-07",
    "ip_address": "192.168.1.17",
    "mac_address": "dc:a6:32:01:02:03",
    "connection_type": "ethernet",
}


class ProvisioningFailed(Exception):
    """The text that the original logs."""


class FieldClient:
    """One device. `address` is `host:port`; credentials live in memory only, so a restart is a new object."""

    def __init__(
        self,
        address: str,
        *,
        code: str = "",
        device_id: str = "",
        api_key: str = "",
        scale: float = 1.0,
        hardware: dict[str, Any] | None = None,
        network: dict[str, Any] | None = None,
    ) -> None:
        self.address = address
        self.code = code
        self.device_id = device_id
        self.api_key = api_key
        self.scale = scale
        self.hardware = HARDWARE if hardware is None else hardware
        self.network = NETWORK if network is None else network
        self.running: set[str] = set()
        self.shadow: dict[str, Any] = {}
        self.violations: list[str] = []
        self.log: list[str] = []
        self.dropped: list[str] = []
        self.received: list[Message] = []
        self.closes: list[int | None] = []
        self.connects = 0
        self.polls = 0
        self.given_up = False
        self.crashed = False
        self.connected = asyncio.Event()
        self._http = httpx.AsyncClient(base_url=f"http://{address}/api/v1", timeout=REST)
        self._socket: ClientConnection | None = None
        self._writing = False
        self._unanswered = 0
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    # --- provisioning

    async def provision(self) -> None:
        """POST the code; remember what comes back. Raises ProvisioningFailed."""
        body = {
            "provisioning_code": self.code,
            "hardware_info": self.hardware,
            "network_info": self.network,
        }
        # The original has no timeout here; a test that hangs is worth nothing.
        response = await self._http.post("/devices/provision", json=body, timeout=60)
        if response.status_code not in (200, 201):
            raise ProvisioningFailed(
                f"provisioning failed with status {response.status_code}: {response.text}"
            )
        answered = response.json()
        expires = answered.get("expires_at")
        if expires is not None and not _is_time(expires):
            raise ProvisioningFailed(f"failed to decode response: cannot parse {expires!r} as a time")
        self.device_id, self.api_key = answered["device_id"], answered["api_key"]

    # --- life

    async def start(self) -> bool:
        """Provision when there is only a code, then connect, once. False: it stays off until it is
        restarted.
        """
        if not self.device_id or not self.api_key:
            await self.provision()
        try:
            await self._connect()
        except (OSError, TimeoutError, WebSocketException, ConnectionRefusedError) as error:
            self.log.append(f"failed to connect: {error}")
            return False
        return True

    async def stop(self) -> None:
        """A graceful stop: close code 1000."""
        self._stopping = True
        if self._socket is not None:
            await self._socket.close(1000)
        await self._end()

    async def kill(self) -> None:
        """The power goes: no close frame, nothing."""
        self._stopping = True
        if self._socket is not None:
            self._socket.transport.abort()
        await self._end()

    async def send_command(self, action: str, payload: dict[str, Any] | None = None) -> Message:
        """A command of its own; waits up to 30 s for the response. Nothing in the original calls this."""
        command_id = f"cmd-{time.time_ns()}"
        answered = self._waiting[command_id] = asyncio.get_running_loop().create_future()
        frame: dict[str, Any] = {"type": "command", "id": command_id, "action": action}
        if payload:
            frame["payload"] = payload
        try:
            await self._write(frame)
            return await asyncio.wait_for(answered, OWN_COMMAND * self.scale)
        finally:
            self._waiting.pop(command_id, None)

    # --- one connection

    async def _connect(self) -> None:
        self.connects += 1
        socket = await connect(
            f"ws://{self.address}/tunnel",
            open_timeout=max(DIAL * self.scale, 2.0),
            compression=None,
            ping_interval=None,
            user_agent_header=None,
            proxy=None,
            max_size=None,
            close_timeout=1,
        )
        self._socket, self._writing, self._unanswered = socket, False, 0
        try:
            hello = {
                "type": "connect",
                "device_id": self.device_id,
                "api_key": self.api_key,
                "version": "1.0.0",
            }
            await self._write(hello)
            first = await asyncio.wait_for(socket.recv(), max(ANSWER * self.scale, 2.0))
            message = decode(first)
        except (ConnectionClosed, TimeoutError, Undecodable) as error:
            self._note_close(socket)
            raise OSError(f"authentication failed: {error}") from None
        if message.type != "connected":
            with suppress(ConnectionClosed, TimeoutError):  # to learn the code; the original just closes
                await asyncio.wait_for(socket.recv(), 2)
            self._note_close(socket)
            await socket.close()
            raise OSError(f"authentication failed: {message.error}")
        # Before it reads again: the shadow, over REST. Commands that come meanwhile wait in the socket.
        await self._sync_shadow()
        self._spawn(self._poll())
        self._spawn(self._ping(socket))
        self._spawn(self._read(socket))
        self.connected.set()

    async def _sync_shadow(self) -> None:
        try:
            await self.fetch_shadow()
        except (httpx.HTTPError, Refused) as error:
            self.log.append(f"failed to get shadow: {error}")
        reported = {"online": True, "agent_version": "1.0.0", "last_updated": now_text()}
        try:
            response = await self._http.put(
                self._shadow_path(), json={"reported": reported}, headers={"X-API-Key": self.api_key}
            )
        except httpx.HTTPError as error:
            self.log.append(f"failed to update shadow: {error}")
            return
        if response.status_code != 200:
            self.log.append(f"failed to update shadow: status {response.status_code}: {response.text}")
            return
        with suppress(Undecodable):  # a bad body here is ignored
            self.shadow = decode_shadow(response.text)

    async def fetch_shadow(self) -> dict[str, Any]:
        """GET the shadow, decoded strictly. Raises Refused with the text that a command would answer."""
        response = await self._http.get(self._shadow_path(), headers={"X-API-Key": self.api_key})
        if response.status_code != 200:
            raise Refused(f"failed to get shadow: status {response.status_code}: {response.text}")
        try:
            self.shadow = decode_shadow(response.text)
        except Undecodable as error:
            raise Refused(f"failed to decode shadow: {error}") from None
        return self.shadow

    async def _poll(self) -> None:
        """Every connect starts one more of these, and none ever ends."""
        self.polls += 1
        while True:
            await asyncio.sleep(POLL * self.scale)
            try:
                await self.fetch_shadow()
            except (httpx.HTTPError, Refused) as error:
                self.log.append(str(error))

    async def _ping(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while self._socket is socket:
                await asyncio.sleep(PING * self.scale)
                if self._socket is socket:
                    await self._write({"type": "ping"})

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                try:
                    message = decode(text)
                except Undecodable as error:
                    self.dropped.append(str(error))
                    continue
                self.received.append(message)
                self._take(message)
        except ConnectionClosed:
            pass
        self._note_close(socket)
        self.connected.clear()
        if self._socket is socket:
            self._socket = None
        if not self._stopping and not self.crashed:
            self._spawn(self._reconnect())

    def _take(self, message: Message) -> None:
        match message.type:
            case "command":
                if self._unanswered:
                    self.violations.append(
                        f"command {message.id} ({message.action}) came before its predecessor was answered"
                    )
                self._unanswered += 1
                self._spawn(self._obey(message))
            case "response":
                waiting = self._waiting.get(message.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case "pong":
                pass
            case _:
                self.log.append(f"unknown message type: {message.type}")

    async def _obey(self, command: Message) -> None:
        frame: dict[str, Any] = {"type": "response", "id": command.id}
        try:
            frame |= {"status": "success", "data": await answer(self, command.action, command.payload)}
        except (Refused, httpx.HTTPError) as error:
            frame |= {"status": "error", "error": str(error)}
        with suppress(ConnectionClosed):
            self._unanswered -= 1
            await self._write(frame)

    async def _write(self, frame: dict[str, Any]) -> None:
        """No lock, as the original: two writers at once are a panic that ends the process."""
        if self._socket is None:
            return
        if self._writing:
            self.violations.append("panic: concurrent write to websocket connection")
            self.crashed = True
            self._socket.transport.abort()
            return
        self._writing = True
        try:
            await self._socket.send(json.dumps({**frame, "timestamp": now_text()}))
        finally:
            self._writing = False

    async def _reconnect(self) -> None:
        """After a lost connection: 5, 10, 15, 20, 25 s, then it gives up for good. A success resets the
        count.
        """
        for seconds in RECONNECTS:
            await asyncio.sleep(seconds * self.scale)
            if self._stopping:
                return
            try:
                await self._connect()
                return
            except (OSError, TimeoutError, WebSocketException) as error:
                self.log.append(f"reconnect failed: {error}")
        self.given_up = True
        self.log.append("max reconnect attempts reached")

    # --- the rest

    def _shadow_path(self) -> str:
        return f"/devices/{self.device_id}/shadow"

    def _note_close(self, socket: ClientConnection) -> None:
        self.closes.append(socket.protocol.close_code)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        self.connected.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()


def _is_time(value: object) -> bool:
    try:
        decode(json.dumps({"type": "x", "timestamp": value}))
    except Undecodable:
        return False
    return bool(value)
