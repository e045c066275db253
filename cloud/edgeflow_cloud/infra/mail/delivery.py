"""One mail to the mail server, by aiosmtplib."""

import re
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from uuid import UUID

import aiosmtplib

from edgeflow_cloud.infra.mail.model import Content
from edgeflow_cloud.infra.smtp import SmtpAddress

_DEADLINE: Final = 20.0  # seconds for each step of the conversation
_FOR_GOOD: Final = 500
_LINK: Final = re.compile(r"(?i)\bhttps?:\S+")


class Refused(Exception):
    """The mail server refuses this mail and always will; `str()` is its answer."""


class NotSent(Exception):
    """The mail server is away or busy: try again; `str()` says what happened, without the mail."""


async def deliver(
    address: SmtpAddress, sender: str, mail_id: UUID, recipient: str, content: Content, written_at: datetime
) -> None:
    """Hand the mail over. Raises Refused or NotSent."""
    message = compose(sender, mail_id, recipient, content, written_at)
    try:
        await aiosmtplib.send(
            message,
            hostname=address.host,
            port=address.port,
            username=address.user,
            password=address.password.reveal() if address.password else None,
            use_tls=address.tls == "on",
            start_tls=address.tls == "starttls",
            tls_context=None if address.tls == "off" else ssl.create_default_context(),
            timeout=_DEADLINE,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        answers = _quiet("; ".join(f"{item.code} {item.message}" for item in error.recipients))
        if all(item.code >= _FOR_GOOD for item in error.recipients):
            raise Refused(answers) from None
        raise NotSent(answers) from None
    except aiosmtplib.SMTPDataError as error:
        said = _quiet(f"{error.code} {error.message}")
        raise (Refused if error.code >= _FOR_GOOD else NotSent)(said) from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise NotSent(_quiet(f"{type(error).__name__}: {error}")) from None


def _quiet(answer: str) -> str:
    """A server may quote the link that it dislikes, and links are secrets."""
    return _LINK.sub("(link)", answer)


def compose(
    sender: str, mail_id: UUID, recipient: str, content: Content, written_at: datetime
) -> EmailMessage:
    """The message: plain and HTML. A mail sent twice has one Message-ID, so that the reader sees it once."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = content.subject
    message["Date"] = format_datetime(written_at)
    message["Message-ID"] = f"<{mail_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    return message
