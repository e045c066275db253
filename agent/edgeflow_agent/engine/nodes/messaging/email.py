"""email: send a mail by SMTP."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Annotated, Literal, cast

from msgspec import Meta

from ...javalike import to_text
from ...message import Message
from ...node import Node, NodeConfig, NodeError

_SPLIT = re.compile(r"[;,]\s*")


class EmailConfig(NodeConfig):
    """`server` and `userid` are Node-RED's words for `host` and `username`."""

    host: Annotated[str, Meta(title="Server")] = ""
    server: str = ""
    port: Annotated[int, Meta(title="Port", ge=1, le=65535)] = 587
    security: Annotated[Literal["auto", "none", "starttls", "tls"], Meta(title="Encryption")] = "auto"
    username: Annotated[str, Meta(title="User name")] = ""
    userid: str = ""
    password: Annotated[str, Meta(title="Password", extra_json_schema={"format": "password"})] = ""
    sender: Annotated[str, Meta(title="From", examples=["plant@example.com"])] = ""
    to: Annotated[str, Meta(title="To", description="several with commas; empty: the message's `to`")] = ""
    name: str = ""
    subject: Annotated[str, Meta(title="Subject", description="empty: the message's `topic`")] = ""
    html: Annotated[bool, Meta(title="The payload is HTML")] = False
    timeout: Annotated[float, Meta(title="Time limit (seconds)", gt=0, le=300)] = 30.0


class Email(Node[EmailConfig]):
    """Sends the payload as a mail and passes the message on; `to`, `subject`, `cc`, `bcc` of the message count where
    the node has none."""

    type = "email"
    category = "output"
    group = "messaging"
    Config = EmailConfig

    async def receive(self, message: Message) -> None:
        import aiosmtplib

        config = self.config
        mail, recipients = self._write(message)
        security = config.security
        try:
            await aiosmtplib.send(
                mail,
                recipients=recipients,
                hostname=config.host or config.server or "localhost",
                port=config.port,
                username=config.username or config.userid or None,
                password=config.password or None,
                use_tls=security == "tls" or (security == "auto" and config.port == 465),
                start_tls={"starttls": True, "none": False}.get(security),
                timeout=config.timeout,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NodeError(f"The mail was not sent: {error}.") from None
        self.send(message)

    def _write(self, message: Message) -> tuple[EmailMessage, list[str]]:
        config = self.config
        to = _addresses(config.to or config.name or message.get("to"))
        copies, hidden = _addresses(message.get("cc")), _addresses(message.get("bcc"))
        sender = config.sender or config.username or config.userid
        if not to:
            raise NodeError("There is nobody to send the mail to. Give the node a `to`, or the message.")
        if not sender:
            raise NodeError("The mail has no sender. Give the node `sender`, for example plant@example.com.")
        mail = EmailMessage()
        try:
            mail["From"], mail["To"] = sender, ", ".join(to)
            if copies:
                mail["Cc"] = ", ".join(copies)
            mail["Subject"] = to_text(
                config.subject or message.get("subject") or message.get("topic") or "Message"
            )
            mail["Message-ID"] = make_msgid(domain="edgeflow.local")
        except ValueError as error:  # A line break in a header is an attack or a mistake.
            raise NodeError(f"The mail cannot be sent so: {error}.") from None
        payload = message.get("payload")
        if isinstance(payload, bytes):
            mail.set_content(str(message.get("description") or ""))
            name = str(message.get("filename") or "attachment.bin")
            mail.add_attachment(payload, maintype="application", subtype="octet-stream", filename=name)
        else:
            mail.set_content(to_text(payload), subtype="html" if config.html else "plain")
        return mail, [*to, *copies, *hidden]


def _addresses(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item).strip() for item in cast("list[object]", value) if str(item).strip()]
    return [text for text in _SPLIT.split(str(value or "").strip()) if text]
