"""argon2id, in threads of its own: a hash takes tens of milliseconds of a core, too long for the event
loop.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edgeflow_cloud.identity.model import normal_password, weakness
from edgeflow_cloud.kernel.errors import FieldError, Invalid, TooMany

T = TypeVar("T")

# OWASP's first choice: 19 MiB and two passes, about 30 ms a core. Old hashes are made anew at the next log-
# in.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_THREADS: Final = 2  # 19 MiB each; more would only take the cores from everybody else
_WAITING: Final = 50  # about a second of work; beyond, the caller is told to come back
_pool: Final = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
_waiting = 0


def check_password(password: str, *, email: str, field: str = "password") -> None:
    """Raise Invalid (`weak_password`) with a sentence when the password is too easy to guess."""
    said = weakness(password, email=email, denied=denied_passwords())
    if said:
        raise Invalid(said, code="weak_password", fields=[FieldError(field, said)])


@cache
def denied_passwords() -> frozenset[str]:
    """About fifty thousand passwords that attackers try first, read once."""
    text = resources.files("edgeflow_cloud.identity").joinpath("data/denied_passwords.txt").read_text("ascii")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))


async def hash_password(password: str) -> str:
    """The argon2id hash of a password. Raises TooMany (`busy`) when fifty others wait."""
    return await _in_thread(_hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Is it the password? `password_hash` None (nobody has this address) costs the same and is False.

    Raises TooMany (`busy`) when fifty others wait.
    """
    return await _in_thread(_verify, password, password_hash)


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _hash(password: str) -> str:
    return _HASHER.hash(normal_password(password))


def _verify(password: str, password_hash: str | None) -> bool:
    decoy = _decoy()  # made in both cases, so that the first caller's time says nothing either
    try:
        return _HASHER.verify(password_hash or decoy, normal_password(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    """A hash that no password has, for addresses that nobody has."""
    return _HASHER.hash(secrets.token_hex(32))


async def _in_thread(work: Callable[..., T], *arguments: str | None) -> T:
    global _waiting
    if _waiting >= _WAITING:
        raise TooMany(
            "Too many people log in at this moment; try again in a few seconds.", retry_after=2, code="busy"
        )
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work, *arguments)
    finally:
        _waiting -= 1
