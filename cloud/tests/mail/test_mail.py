"""Mails: sent if the transaction commits, tried again, kept for the operator, secret at rest."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import jinja2
import pytest

from cloud.tests.mail.conftest import Server
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import JobRunner
from edgeflow_cloud.infra.mail import Letter, State
from edgeflow_cloud.infra.mail.rendering import calm, render
from edgeflow_cloud.infra.secrets import Secret
from edgeflow_cloud.infra.smtp import SmtpAddress
from edgeflow_cloud.kernel.clock import SetClock
from edgeflow_cloud.kernel.principal import Principal

VALUES = {"name": "Ada", "url": "http://cloud.test/x#token=very-secret-token"}


async def post(context: Context, letter: Letter, owner: Principal, **values: object) -> UUID:
    async with context.db.tenant_tx(owner) as tx:
        return await mail.send(
            tx, context, letter, "ada@example.com", VALUES | values, good_for=timedelta(hours=1)
        )


async def run_until(context: Context, mail_id: UUID, *states: State, within: float = 15) -> mail.Kept:
    """Run the jobs until the mail is in one of the states."""
    stopping = asyncio.Event()
    runner = asyncio.create_task(JobRunner(context, [mail.DELIVER], drain=2).run(stopping))
    try:
        async with asyncio.timeout(within):
            while True:
                found = await mail.find(context, mail_id)
                assert found is not None
                if found.state in states:
                    return found
                await asyncio.sleep(0.05)
    finally:
        stopping.set()
        await runner


async def test_a_mail_arrives_in_both_forms(
    posting: Context, server: Server, letter: Letter, owner: Principal
) -> None:
    mail_id = await post(posting, letter, owner, name="Ada <b>")
    sent = await run_until(posting, mail_id, State.SENT)
    assert sent.content is None, "what is sent is forgotten"
    (message,) = server.taken
    assert (message["from"], message["to"]) == ("EdgeFlow <post@cloud.test>", "ada@example.com")
    assert message["subject"] == "Hello Ada <b>"
    assert message["auto-submitted"] == "auto-generated" and message["date"]
    assert message["message-id"] == f"<{mail_id}@cloud.test>"
    plain, html = (part.get_content() for part in message.iter_parts())
    assert VALUES["url"] in plain and "& be glad" in plain
    assert "Ada &lt;b&gt;" in html and VALUES["url"] in html


async def test_what_is_undone_is_not_sent(posting: Context, server: Server, letter: Letter, owner) -> None:
    with pytest.raises(RuntimeError):
        async with posting.db.tenant_tx(owner) as tx:
            await mail.send(tx, posting, letter, "ada@example.com", VALUES, good_for=timedelta(hours=1))
            raise RuntimeError
    assert await mail.latest(posting) == []


async def test_a_busy_server_gets_it_again(posting: Context, server: Server, letter: Letter, owner) -> None:
    server.answer = "451 greylisted, come back; your http://cloud.test/x#token=very-secret-token is odd"
    mail_id = await post(posting, letter, owner)
    stopping = asyncio.Event()
    runner = asyncio.create_task(JobRunner(posting, [mail.DELIVER], drain=2).run(stopping))
    found = None
    for _ in range(200):
        found = await mail.find(posting, mail_id)
        if found is not None and found.error:
            break
        await asyncio.sleep(0.05)
    assert found is not None and found.state is State.WAITING
    assert found.error == "451 greylisted, come back; your (link) is odd"
    server.answer = None
    for _ in range(200):
        if server.taken:
            break
        await asyncio.sleep(0.05)
    stopping.set()
    await runner
    assert len(server.taken) == 1


async def test_a_refusal_for_good_ends_it(posting: Context, server: Server, letter: Letter, owner) -> None:
    server.answer = "554 no such mailbox"
    ended = await run_until(posting, await post(posting, letter, owner), State.REFUSED)
    assert ended.error == "554 no such mailbox"
    assert ended.content is not None, "the operator can still read it"


async def test_what_is_of_no_use_any_more_is_not_sent(
    posting: Context, server: Server, letter: Letter, owner
) -> None:
    mail_id = await post(posting, letter, owner)
    later = replace(posting, clock=SetClock(datetime.now(UTC) + timedelta(hours=2)))
    assert (await run_until(later, mail_id, State.LATE)).state is State.LATE
    assert server.taken == []


async def test_without_a_server_it_is_kept_for_the_operator(context: Context, letter: Letter, owner) -> None:
    mail_id = await post(context, letter, owner)
    (kept,) = await mail.latest(context)
    assert (kept.id, kept.state, kept.recipient, kept.kind) == (
        mail_id,
        State.KEPT,
        "ada@example.com",
        "test.hello",
    )
    assert kept.content is not None and str(VALUES["url"]) in kept.content.text


async def test_the_database_shows_no_text(
    context: Context, posting: Context, letter: Letter, owner, database_url: str
) -> None:
    for each in (context, posting):
        await post(each, letter, owner)
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("select row_to_json(m)::text as line from mails m")
    jobs = await connection.fetch("select convert_from(payload, 'utf8') as line from jobs.pgqueuer")
    await connection.close()
    assert len(rows) == 2 and len(jobs) == 1
    assert all("secret" not in row["line"] and "Hello" not in row["line"] for row in [*rows, *jobs])


@pytest.mark.parametrize(
    "statement",
    ["select recipient from mails", "update mails set state = 'sent'", "delete from mails"],
)
async def test_people_read_no_mail(context: Context, owner: Principal, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with context.db.tenant_tx(owner) as tx:
            await tx.execute(statement)


async def test_a_rotated_master_key_seals_them_anew(context: Context, letter: Letter, owner) -> None:
    mail_id = await post(context, letter, owner)
    now = datetime.now(UTC)
    context.secrets.master_keys.rotate(until=now + timedelta(days=1), now=now)
    assert await mail.SEALED.reseal(context) == 1
    assert await mail.SEALED.reseal(context) == 0
    later = replace(context, clock=SetClock(now + timedelta(days=2)))  # the former key is gone
    found = await mail.find(later, mail_id)
    assert found is not None and found.content is not None


def test_a_missing_value_is_an_error(letter: Letter) -> None:
    with pytest.raises(jinja2.UndefinedError):
        render(letter, {"name": "Ada"})


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("You won! http://evil.example/x", "You won! evil·example/x"),
        ("evil.example", "evil·example"),
        ("mail me@evil.example", "mail me evil·example"),
        ("two\r\nSubject: lines", "two Subject: lines"),
        ("x" * 200, "x" * 79 + "…"),
        ("Müller & Söhne GmbH & Co. KG", "Müller & Söhne GmbH & Co. KG"),
    ],
)
def test_strangers_words_are_calmed(words: str, shown: str) -> None:
    assert calm(words) == shown


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, "off", None)),
        ("smtp://mail.example.com", ("mail.example.com", 25, "starttls", None)),
        ("smtp://ada:p%40ss@mail.example.com", ("mail.example.com", 587, "starttls", "ada")),
        ("smtps://ada:pass@mail.example.com", ("mail.example.com", 465, "on", "ada")),
        ("smtp://mail.example.com:465", ("mail.example.com", 465, "on", None)),
        ("smtp://mail.example.com:26?tls=off", ("mail.example.com", 26, "off", None)),
    ],
)
def test_addresses_of_servers(url: str, wanted: tuple[Any, ...]) -> None:
    address = SmtpAddress.parse(Secret(url))
    assert (address.host, address.port, address.tls, address.user) == wanted
    assert address.user is None or address.password in (Secret("p@ss"), Secret("pass"))


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com",
        "smtp://",
        "smtp://host:notaport",
        "smtp://user@host",
        "smtp://host?tls=maybe",
        "smtp://ada:hunter2@mail.example.com?tls=off",
    ],
)
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        SmtpAddress.parse(Secret(url))
    assert "hunter2" not in str(refusal.value)
