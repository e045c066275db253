"""schedule: messages by the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, UnsetType

from ...message import Message, clone_value, new_message
from ...node import Node, NodeConfig, NodeError

_LONGEST_SLEEP = 60.0


class ScheduleConfig(NodeConfig):
    """`cron` has six fields, seconds first; five are taken as without seconds."""

    cron: Annotated[str, Meta(title="Schedule", examples=["0 */5 * * * *"])]
    payload: Annotated[object | UnsetType, Meta(title="Payload")] = UNSET
    topic: Annotated[str, Meta(title="Topic")] = ""
    timezone: Annotated[str, Meta(title="Time zone", examples=["Europe/Berlin"])] = "Local"


class Schedule(Node[ScheduleConfig]):
    """Sends a message at the times that a cron expression names."""

    type = "schedule"
    category = "input"
    Config = ScheduleConfig

    async def start(self) -> None:
        check_schedule(self.config.cron, self.config.timezone)
        self.spawn(run_schedule(self.config.cron, self.config.timezone, self._fire))

    def receive(self, message: Message) -> None:
        """By hand: fires now."""
        self._fire()

    def _fire(self) -> None:
        payload: object = self.config.payload
        if payload is UNSET:
            payload = {"timestamp": int(datetime.now(UTC).timestamp() * 1000)}
        self.send(new_message(clone_value(payload), self.config.topic))


def check_schedule(cron: str, zone: str) -> tuple[str, tzinfo | None]:
    """The expression as cronsim reads it and the zone (None: the device's). Raises NodeError."""
    from cronsim import CronSim, CronSimError

    text = " ".join(cron.split())
    named = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
             "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}  # fmt: skip
    text = named.get(text.lower(), text).replace("?", "*")
    found: tzinfo | None = None
    if zone and zone != "Local":
        try:
            found = ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise NodeError(
                f"There is no time zone {zone!r} on this device. Write for example Europe/Berlin."
            ) from None
    try:
        CronSim(text, datetime.now(UTC))
    except CronSimError as error:
        raise NodeError(
            f"{cron!r} is not a schedule: {error}. Write second minute hour day month weekday, as in 0 */5 * * * *."
        ) from None
    return text, found


async def run_schedule(cron: str, zone: str, fire: Callable[[], None]) -> None:
    """Call `fire` at each time of the schedule, for ever. A time that passed while the device slept or its clock was
    put forward is not made up for; the clock put back does not fire it twice."""
    from cronsim import CronSim

    text, where = check_schedule(cron, zone)
    last: datetime | None = None
    while True:
        now = datetime.now(UTC).astimezone(where)
        try:
            due = next(CronSim(text, now if last is None or now > last else last))
        except StopIteration:
            return  # For example 30 February: never.
        wait = (due - datetime.now(UTC)).total_seconds()
        if wait > _LONGEST_SLEEP:  # In steps, since the clock may be set meanwhile.
            await asyncio.sleep(_LONGEST_SLEEP / 2)
            continue
        if wait > 0:
            await asyncio.sleep(wait)
        late = (datetime.now(UTC) - due).total_seconds()
        if late >= 0 and (last is None or due > last):
            last = due
            fire()
        elif late < -_LONGEST_SLEEP:
            last = None  # The clock was put far back.
