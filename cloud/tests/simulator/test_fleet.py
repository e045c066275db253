"""A fleet against a real hub: telemetry, commands, crashes, a field client, reconnects."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import pytest

from cloud.tests.conftest import Caller
from cloud.tests.simulator.conftest import Place
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.simulator import Credentials, FaultProxy, Faults, Load, Pace, Watch, open_fleet

Register = Callable[[int], Awaitable[list[Credentials]]]
HURRY = Pace(
    first=0.2, cap=0.5, answer=1.0, boot=0.1, heartbeat=0.3, field_reconnects=(0.1, 0.2, 0.3, 0.4, 0.5)
)


class Ledger(Watch):
    def __init__(self) -> None:
        self.batches: dict[tuple[str, str, int], Sequence[datetime]] = {}
        self.acknowledged_batches: list[tuple[str, str, int]] = []
        self.runs: Counter[str] = Counter()

    def made(self, device_id: str, boot_id: str, sequence: int, times: Sequence[datetime]) -> None:
        self.batches[device_id, boot_id, sequence] = times

    def acknowledged(self, device_id: str, boot_id: str, sequence: int, refusal: str) -> None:
        assert not refusal
        self.acknowledged_batches.append((device_id, boot_id, sequence))

    def ran(self, device_id: str, command_id: str, action: str) -> None:
        self.runs[command_id] += 1


async def stored(context: Context) -> int:
    async with context.db.system_tx("count samples") as tx:
        return await tx.fetchval("select count(*) from system_samples")


async def test_samples_are_acknowledged_and_stored(
    place: Place, register: Register, context: Context
) -> None:
    ledger = Ledger()
    async with open_fleet(
        await register(5), tunnel=place.tunnel, rest=place.rest, load=Load(50, 5), pace=HURRY, watch=ledger
    ) as fleet:
        await fleet.start()
        assert await fleet.until_in(within=10)
        await asyncio.sleep(1.0)
        assert await fleet.settle(10)
        tally = fleet.tally
        assert tally.samples_acked == tally.samples_made > 50
        assert tally.pongs and tally.shadows_accepted == 5
        assert await stored(context) == tally.samples_acked
    assert sorted(ledger.acknowledged_batches) == sorted(ledger.batches)


async def test_crashes_and_lost_acks_store_nothing_twice(
    place: Place, register: Register, context: Context
) -> None:
    faults = Faults(loss=0.1, delay=0.02, crash=0.7, skew=600)
    async with open_fleet(
        await register(6), tunnel=place.tunnel, rest=place.rest, load=Load(40, 4), pace=HURRY, faults=faults
    ) as fleet:
        await fleet.start()
        await asyncio.sleep(2.5)
        for device in fleet.devices:
            device.recover()
        assert await fleet.settle(20)
        tally = fleet.tally
        assert tally.crashes and tally.samples_sent > tally.samples_made
        assert await stored(context) == tally.samples_made == tally.samples_acked


async def test_a_command_id_runs_once(place: Place, register: Register, client: Caller) -> None:
    (identity,) = await register(1)
    ledger = Ledger()
    async with open_fleet(
        [identity], tunnel=place.tunnel, rest=place.rest, load=Load(0), pace=HURRY, watch=ledger
    ) as fleet:
        await fleet.start()
        assert await fleet.until_in(within=10)
        for action in ("health_check", "list_flows", "get_system_metrics", "get_gpio_state"):
            answer = await client("owner").post(
                f"/devices/{identity.device_id}/commands", params={"wait": 5}, json={"action": action}
            )
            assert (answer.status_code, answer.json()["status"]) == (200, "done"), answer.text
        assert fleet.tally.commands_answered == 4
    assert set(ledger.runs.values()) == {1}


async def test_a_field_client_syncs_and_answers_one_by_one(
    place: Place, register: Register, client: Caller
) -> None:
    (identity,) = await register(1)
    async with open_fleet(
        [identity], tunnel=place.tunnel, rest=place.rest, profile="field", pace=HURRY
    ) as fleet:
        await fleet.start()
        assert await fleet.until_in(within=10)

        async def order() -> str:
            answer = await client("owner").post(
                f"/devices/{identity.device_id}/commands", params={"wait": 5}, json={"action": "get_shadow"}
            )
            return answer.json()["status"]

        assert await asyncio.gather(*(order() for _ in range(4))) == ["done"] * 4
        assert (fleet.tally.violations, fleet.tally.rest_failures) == (0, 0)
        assert fleet.tally.commands_answered == 4


@pytest.mark.parametrize("profile", ["agent", "field"])
async def test_a_lost_line_is_dialled_again(place: Place, register: Register, profile: str) -> None:
    async with (
        FaultProxy.open([("127.0.0.1", place.hub.port)]) as proxy,
        open_fleet(
            await register(3),
            tunnel=f"ws://{proxy.netloc}/tunnel",
            rest=place.rest,
            profile=profile,
            pace=HURRY,
        ) as fleet,
    ):
        await fleet.start()
        assert await fleet.until_in(within=10)
        assert proxy.reset() == 3
        assert await fleet.until(lambda: fleet.tally.reconnects == 3, within=5)
        assert fleet.tally.closes[1006] == 3


async def test_silence_is_noticed_by_the_heartbeat(place: Place, register: Register) -> None:
    pace = Pace(first=0.1, cap=0.3, heartbeat=0.1, pong=0.3, handshake=0.5)
    async with (
        FaultProxy.open([("127.0.0.1", place.hub.port)]) as proxy,
        open_fleet(
            await register(2), tunnel=f"ws://{proxy.netloc}/tunnel", rest=place.rest, pace=pace
        ) as fleet,
    ):
        await fleet.start()
        assert await fleet.until_in(within=10)
        proxy.blackhole = True
        assert await fleet.until(lambda: fleet.tally.connected == 0, within=5)
        proxy.blackhole = False
        assert await fleet.until_in(within=10)


async def test_a_field_client_gives_up_after_five_tries(place: Place, register: Register) -> None:
    async with (
        FaultProxy.open([("127.0.0.1", place.hub.port)]) as proxy,
        open_fleet(
            await register(1),
            tunnel=f"ws://{proxy.netloc}/tunnel",
            rest=place.rest,
            profile="field",
            pace=HURRY,
        ) as fleet,
    ):
        await fleet.start()
        assert await fleet.until_in(within=10)
        proxy.refuse = True
        proxy.reset()
        assert await fleet.until(lambda: fleet.tally.gave_up == 1, within=10)
        assert fleet.tally.attempts == 6


async def test_a_wrong_key_slows_down(place: Place, register: Register) -> None:
    (identity,) = await register(1)
    wrong = Credentials(identity.device_id, "efk_wrong")
    async with open_fleet([wrong], tunnel=place.tunnel, rest=place.rest, pace=HURRY) as fleet:
        await fleet.start()
        assert await fleet.until(lambda: fleet.tally.closes[4401] == 1, within=5)
        assert fleet.tally.refusals["bad_credentials"] == 1
        assert fleet.tally.ever_in == 0
