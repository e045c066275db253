"""R3: eight writers on one shadow, four over REST and four in the device's frames, while PostgreSQL's sessions die.

Every version there is was made by exactly one writer; what was answered with a version is that version for good.
"""

import asyncio
from collections import Counter
from typing import Any

import asyncpg

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Client, Registered, Running
from edgeflow_cloud.infra.context import Context

ROUNDS = 10


async def test_eight_writers_two_ways_in_and_postgresql_dies_in_between(
    client: Caller, hub: Running, device: Registered, context: Context, database_url: str
) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    made: dict[int, tuple[str, Any]] = {}
    """By version, what its writer had been told that it made."""
    outcomes: Counter[str] = Counter()

    def note(version: int, key: str, value: int) -> None:
        assert version not in made, "two writers were told the same version"
        made[version] = key, value
        outcomes["won"] += 1

    async def person(number: int) -> None:
        """Reads, then writes on the version that it saw; a conflict is answered by looking again."""
        http = client("owner")
        for step in range(ROUNDS):
            seen = (await http.get(path)).json().get("version")
            if seen is None:
                outcomes["away"] += 1
                continue
            body = {"desired": {f"person{number}": step}, "version": seen}
            answer = await http.put(path, json=body)
            if answer.status_code == 200:
                assert answer.json()["version"] == seen + 1
                note(seen + 1, f"person{number}", step)
            else:
                assert answer.status_code in (409, 503), answer.text
                outcomes["conflict" if answer.status_code == 409 else "away"] += 1

    async def say(socket: Client) -> None:
        """The device's own four writers, whose frames are mixed: reports know no version and never conflict."""
        asked: dict[str, tuple[str, int]] = {}
        for step in range(ROUNDS):
            for number in range(4):
                name = f"{number}-{step}"
                asked[name] = f"sensor{number}", step
                await socket.send(type="shadow_reported", id=name, reported={f"sensor{number}": step})
            await asyncio.sleep(0.02)
        while asked:
            frame = await socket.receive()
            if frame["type"] == "shadow_desired":
                continue
            key, value = asked.pop(frame["id"])
            if frame["type"] == "shadow_accepted":
                note(frame["version"], key, value)
            else:
                assert frame["type"] == "error", frame
                outcomes["away"] += 1

    async def kill() -> None:
        """As when the server is ended: what is under way is lost, or is committed and nobody hears of it."""
        await asyncio.sleep(0.15)
        server = await asyncpg.connect(database_url)
        killed = await server.fetchval(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """
        )
        assert killed > 0
        await server.close()

    async with hub.client(device, capabilities=["shadow"], boot_id="b1") as socket:
        await asyncio.gather(*(person(number) for number in range(4)), say(socket), kill())

    async with context.db.system_tx("test") as tx:
        rows = await tx.fetch("select version, patch from shadow_history order by version")
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    assert outcomes["won"] <= len(rows) <= outcomes["won"] + outcomes["away"], outcomes
    for version, (key, value) in made.items():
        assert rows[version - 1]["patch"] == {key: value}
    document = (await client("owner").get(path)).json()
    assert document["version"] == len(rows)
    assert outcomes["won"] > 20, outcomes
