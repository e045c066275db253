"""Rotating the two keys: a new one is made, the former one counts until what it made has ended."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.auth import REFRESH_LIFE
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.secrets import Secrets

_NOTICED: Final = timedelta(minutes=1)
"""More than a running process takes to see a new key: until then it still signs with the former one."""
_MASTER_KEPT: Final = timedelta(days=100)
"""Provisioning codes are found by their hash under the master key, which cannot be made anew; they live 90 days."""


def rotate_jwt(secrets: Secrets, *, at_once: bool = False) -> str:
    """A new key for logins. With `at_once` the former ones count no more. Raises BadSecret."""
    now = datetime.now(UTC)
    until = now if at_once else now + REFRESH_LIFE + _NOTICED
    if at_once:
        secrets.jwt_keys.forget_old()
    key = secrets.jwt_keys.rotate(until=until, now=now)
    if at_once:
        return (
            f"Logins are signed with key {key.id} now. All former logins are void: everybody logs in again."
        )
    return f"Logins are signed with key {key.id} now; the former key counts until {until:%Y-%m-%d}, so nobody notices."


async def rotate_master(context: Context) -> list[str]:
    """A new master key, and everything stored sealed with it. Raises BadSecret, CannotOpen."""
    now = datetime.now(UTC)
    key = context.secrets.master_keys.rotate(until=now + _MASTER_KEPT, now=now)
    said = [f"The master key is {key.id} now; the former one is kept until {now + _MASTER_KEPT:%Y-%m-%d}."]
    said += await reseal(context)
    return said


async def reseal(context: Context) -> list[str]:
    """Seal everything with the master key in use; twice, since a running process takes a second to see a new key."""
    everything = [mail.SEALED, *(each for item in SUBSYSTEMS for each in item.sealed)]
    counts = {each.what: await each.reseal(context) for each in everything}
    await asyncio.sleep(2)
    for each in everything:
        counts[each.what] += await each.reseal(context)
    return [f"Sealed anew: {count} {what}." for what, count in counts.items()]
