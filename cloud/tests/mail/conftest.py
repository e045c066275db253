"""A real mail server on loopback, and a context that knows it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.mail import Letter
from edgeflow_cloud.infra.secrets import Secret


@dataclass
class Server:
    """What it took; `answer` is what it says to the next mails instead of yes."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    answer: str | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer is not None:
            return self.answer
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return "250 taken"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    handler = Server()
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    handler.port = listening.sockets[0].getsockname()[1]
    yield handler
    listening.close()


@pytest.fixture
async def posting(context: Context, server: Server) -> AsyncIterator[Context]:
    """A context whose mails go to `server`."""
    settings = context.settings.model_copy(
        update={
            "smtp_url": Secret(f"smtp://127.0.0.1:{server.port}"),
            "mail_from": "EdgeFlow <post@cloud.test>",
        }
    )
    yield replace(context, settings=settings)


@pytest.fixture
def letter(tmp_path: Path) -> Letter:
    """A letter of the test's own."""
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "hello.txt").write_text("Hello {{ name | calm }}\n\nOpen {{ url }} & be glad.\n")
    (folder / "hello.html").write_text(
        '{% extends "layout.html" %}{% from "parts.html" import button %}'
        '{% block body %}<p>Hello {{ name | calm }}</p>{{ button(url, "Open") }}{% endblock %}'
    )
    return Letter("test.hello", folder)
