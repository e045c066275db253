"""Mail, Slack and Modbus against real peers."""

from __future__ import annotations

import asyncio
import email
from collections.abc import AsyncIterator
from email.message import Message as Mail
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer
from pytest_httpserver import HTTPServer

from agent.tests.engine.conftest import Bench
from agent.tests.nodes.conftest import free_port
from agent.tests.nodes.test_databases import fails


class Box:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Mail]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append((list(envelope.rcpt_tos), email.message_from_bytes(envelope.content)))
        return "250 Kept"


async def test_email(bench: Bench) -> None:
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        config = {
            "host": "127.0.0.1",
            "port": controller.port,
            "sender": "plant@example.com",
            "to": "a@example.com, b@example.com",
        }
        message = {"payload": "It is warm: 31 °C", "topic": "Hall 1", "bcc": "c@example.com"}
        await bench.through("email", config, message)
        recipients, mail = box.mails[0]
        assert recipients == ["a@example.com", "b@example.com", "c@example.com"]
        assert mail["Subject"] == "Hall 1"
        assert "c@example.com" not in str(mail)
        body = mail.get_payload(decode=True)
        assert isinstance(body, bytes)
        assert body.decode().strip() == "It is warm: 31 °C"
        said = await fails(bench, "email", config, {"payload": 1, "topic": "a\r\nBcc: evil@example.com"})
        assert "cannot be sent so" in said
        assert "nobody to send" in await fails(bench, "email", {**config, "to": ""}, 1)
    finally:
        controller.stop()
    assert "was not sent" in await fails(bench, "email", config, 1)


async def test_slack(bench: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_request(
        "/hook", method="POST", json={"text": "warm", "channel": "#hall"}
    ).respond_with_data("ok")
    config = {"webhookUrl": httpserver.url_for("/hook"), "channel": "#hall"}
    sent = await bench.through("slack", config, "warm")
    assert len(sent[0]) == 1
    httpserver.expect_request("/api", headers={"authorization": "Bearer xoxb"}).respond_with_json(
        {"ok": False, "error": "channel_not_found"}
    )
    config = {"token": "xoxb", "channel": "#none", "apiUrl": httpserver.url_for("/api")}
    assert "channel_not_found" in await fails(bench, "slack", config, "x")


@pytest.fixture
async def machine() -> AsyncIterator[int]:
    port = free_port()
    device = ModbusDeviceContext(
        hr=ModbusSequentialDataBlock(1, [0x41AC, 0x0000, 7, 65535] + [0] * 16),
        co=ModbusSequentialDataBlock(1, [False] * 20),
        di=ModbusSequentialDataBlock(1, [True, False, True] + [False] * 17),
    )
    server = ModbusTcpServer(ModbusServerContext(device, single=True), address=("127.0.0.1", port))
    task = asyncio.create_task(server.serve_forever())
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    yield port
    await server.shutdown()
    task.cancel()


async def ask(bench: Bench, port: int, payload: Any = None, **config: Any) -> Any:
    sent = await bench.through(
        "modbus-tcp", {"host": "127.0.0.1", "port": port, **config}, {"payload": payload}
    )
    return sent[0][0]["payload"]


async def test_modbus(bench: Bench, machine: int) -> None:
    assert (await ask(bench, machine, address=0, quantity=2, dataType="float32"))["value"] == 21.5
    assert (await ask(bench, machine, address=3, quantity=1, dataType="int16"))["values"] == [-1]
    assert (await ask(bench, machine, {"address": 2}, scale=0.1))["value"] == pytest.approx(0.7)
    assert (await ask(bench, machine, function="read_discrete_inputs", quantity=3))["values"] == [
        True,
        False,
        True,
    ]
    await ask(bench, machine, 19.25, function="write_registers", address=10, dataType="float32")
    assert (await ask(bench, machine, address=10, quantity=2, dataType="float32"))["value"] == 19.25
    await ask(bench, machine, {"value": True}, function="write_coil", address=4)
    assert (await ask(bench, machine, function="read_coils", address=4))["value"] is True
    config = {"host": "127.0.0.1", "port": machine, "address": 500, "function": "read_holding_registers"}
    assert "no such address" in await fails(bench, "modbus-tcp", config, {"payload": None})
    config = {"host": "127.0.0.1", "port": machine, "function": "write_register", "dataType": "uint16"}
    assert "is no uint16" in await fails(bench, "modbus-tcp", config, 70000)
    away = {"host": "127.0.0.1", "port": free_port()}
    assert "cannot be reached" in await fails(bench, "modbus-tcp", away, {"payload": None})


async def test_modbus_polls(bench: Bench, machine: int) -> None:
    config = {"host": "127.0.0.1", "port": machine, "address": 2, "pollInterval": 50}
    await bench.run(
        [{"id": "n", "type": "modbus-tcp", "config": config}, {"id": "t", "type": "tap"}], [("n", "t")]
    )
    await bench.until(lambda: len(bench.seen("t")) >= 3)
    assert {message["payload"]["value"] for message in bench.seen("t")} == {7}  # type: ignore[index]
