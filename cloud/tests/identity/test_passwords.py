"""Hashing: in threads, bounded, one cost for known and unknown."""

import asyncio
import time

import pytest

from edgeflow_cloud import identity
from edgeflow_cloud.identity import passwords
from edgeflow_cloud.kernel.errors import TooMany


async def test_a_password_fits_its_hash_only() -> None:
    made = await identity.hash_password("correct horse battery")
    assert made.startswith("$argon2id$") and "horse" not in made
    assert await identity.verify_password("correct horse battery", made)
    assert not await identity.verify_password("correct horse batterY", made)
    assert not await identity.verify_password("correct horse battery", None)
    assert not await identity.verify_password("correct horse battery", "not a hash")


async def test_one_spelling_whatever_the_keyboard() -> None:
    made = await identity.hash_password("pa\u0308sswort und so weiter")
    assert await identity.verify_password("p\u00e4sswort und so weiter", made)


async def test_an_unknown_account_costs_what_a_known_one_does() -> None:
    made = await identity.hash_password("correct horse battery")

    async def cost(password_hash: str | None) -> float:
        started = time.perf_counter()
        await identity.verify_password("wrong", password_hash)
        return time.perf_counter() - started

    pairs = [(await cost(made), await cost(None)) for _ in range(9)]  # in turn: the machine's mood is shared
    known, unknown = (min(side) for side in zip(*pairs, strict=True))
    assert 0.6 < known / unknown < 1.6


async def test_the_loop_goes_on_meanwhile() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.002)

    task = asyncio.create_task(count())
    await asyncio.gather(*(identity.hash_password("correct horse battery") for _ in range(4)))
    task.cancel()
    assert turns > 5


async def test_too_many_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAITING", 5)
    answers = await asyncio.gather(
        *(identity.verify_password("wrong", None) for _ in range(12)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, TooMany)]
    assert len(refused) == 7 and refused[0].code == "busy"
    assert answers.count(False) == 5
    assert not await identity.verify_password("wrong", None)
