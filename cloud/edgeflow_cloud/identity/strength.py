"""How hard a password is to guess, for the person who is choosing one: an advice, beside the rule that counts.

zxcvbn knows words, names, dates, keyboard runs and what people make of them. Its dictionaries cost memory, so they
are read when the first person asks.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, cast

from edgeflow_cloud.identity.model import normal_password, weakness
from edgeflow_cloud.identity.passwords import denied_passwords

_LOOKED_AT: Final = 64
"""Characters that are looked at: its time grows with their square, and who wrote so many needs no advice."""


@dataclass(frozen=True, slots=True)
class Strength:
    """`score` is 0 (guessed at once) to 4 (not in years). `refusal` says why it is not taken, None when it is."""

    score: int
    refusal: str | None
    warning: str | None
    suggestions: list[str]


async def estimate_strength(password: str, *, email: str, words: list[str]) -> Strength:
    """How good a password is for who has this address; `words` (name, organization) are easy to guess in it."""
    return await asyncio.to_thread(_estimate, password, email, words)


def _estimate(password: str, email: str, words: list[str]) -> Strength:
    from zxcvbn import zxcvbn  # the dictionaries come with it

    plain = normal_password(password)
    refusal = weakness(password, email=email, denied=denied_passwords())
    known = [*words, email, email.partition("@")[0], "edgeflow"]
    found = cast(
        "dict[str, object]", zxcvbn(plain[:_LOOKED_AT], user_inputs=[word for word in known if len(word) > 2])
    )
    feedback = cast("dict[str, object]", found["feedback"])
    score = cast(int, found["score"])
    return Strength(
        score=min(score, 1) if refusal else score,
        refusal=refusal,
        warning=str(feedback["warning"]) or None,
        suggestions=[str(item) for item in cast("list[object]", feedback["suggestions"])],
    )
