"""Roles apart behind nginx: two of each, any API reaches any device, any one of the six may die.

The tests share one cloud and are in an order: what breaks least comes first.
"""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest
from redis import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.system.box import Box, now
from tests.system.roles import DRAIN, Node, Roles, start_roles
from tools.programs import NGINX

pytestmark = pytest.mark.xdist_group("roles")


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    program = NGINX.find()
    if program is None:
        pytest.skip(NGINX.advice)
    with start_roles(tmp_path_factory.mktemp("roles"), program) as made:
        yield made


@pytest.fixture
async def api(roles: Roles) -> AsyncIterator[httpx.AsyncClient]:
    """The owner, through the proxy, in front of six that run: what an earlier test broke does not break this one."""
    for node in roles.nodes:
        if not node.is_running:
            await node.restart()
    async with roles.client() as client:
        yield client


@asynccontextmanager
async def boxes(api: httpx.AsyncClient, urls: dict[str, str], **more: Any) -> AsyncIterator[dict[str, Box]]:
    """A device each, all in."""
    made = {name: await Box.make(api, name, url, **more) for name, url in urls.items()}
    try:
        for box in made.values():
            await box.start()
        yield made
    finally:
        for box in made.values():
            await box.stop()


async def eventually(ask: Callable[[], Awaitable[object]], *, within: float, what: str) -> float:
    """Wait for a yes; the seconds that took."""
    began = time.monotonic()
    for _ in itertools.count():
        if await ask():
            return time.monotonic() - began
        assert time.monotonic() - began < within, f"{what}: not within {within:g} s"
        await asyncio.sleep(0.1)
    raise AssertionError


async def order(api: httpx.AsyncClient, box: Box, wait: float = 10) -> httpx.Response:
    return await api.post(
        f"/devices/{box.device_id}/commands", params={"wait": wait}, json={"action": "blink"}
    )


async def is_done(api: httpx.AsyncClient, box: Box) -> bool:
    answer = await order(api, box)
    return answer.status_code == 200 and answer.json()["status"] == "done"


async def stored(roles: Roles, box: Box) -> list[int]:
    """The numbers of a device's stored samples, read past the product."""
    connection = await asyncpg.connect(roles.parts.database_url)
    try:
        rows = await connection.fetch(
            "select s.cpu_percent from system_samples s join device_keys k using (device_id)"
            " where k.hash = sha256($1::bytea)",
            box.api_key.encode(),
        )
    finally:
        await connection.close()
    return [int(row[0]) for row in rows]


async def test_any_api_reaches_any_device(roles: Roles, api: httpx.AsyncClient) -> None:
    one, two = roles.of("hub")
    async with boxes(api, {"on a": roles.tunnel(one), "on b": roles.tunnel(two)}) as here:
        for node in roles.of("api"):
            async with roles.client(node) as direct:
                for name, box in here.items():
                    answer = await order(direct, box)
                    assert answer.status_code == 200, f"{node.name}, {name}: {answer.text}"
                    assert answer.json()["result"]["did"] == "blink"
                    before = len(box.desired)
                    desired = {"desired": {"through": node.name}}
                    assert (
                        await direct.put(f"/devices/{box.device_id}/shadow", json=desired)
                    ).status_code == 200

                    async def pushed(box: Box = box, before: int = before) -> bool:
                        return len(box.desired) > before

                    await eventually(pushed, within=3, what=f"{name} is told through {node.name}")


async def test_a_page_on_one_api_hears_what_is_changed_on_the_other(
    roles: Roles, api: httpx.AsyncClient
) -> None:
    one, two = roles.of("api")
    made = await api.post("/devices", json={"name": "Lathe"})
    device_id = made.json()["device_id"]
    async with roles.client(one) as left, roles.client(two) as right:
        ticket = (await left.post("/live/ticket")).json()["ticket"]
        url = f"ws://127.0.0.1:{two.port}/live?ticket={ticket}"  # made by one, redeemed at the other
        async with connect(url, proxy=None) as page:
            assert json.loads(await asyncio.wait_for(page.recv(), 5)) == {"changed": ["*"]}
            assert (await left.put(f"/devices/{device_id}", json={"name": "Mill"})).status_code == 200
            async with asyncio.timeout(5):
                changed: list[str] = []
                while f"devices/{device_id}" not in changed:
                    changed = json.loads(await page.recv())["changed"]
        assert (await right.get(f"/devices/{device_id}")).json()["name"] == "Mill"


async def test_the_proxy_passes_what_it_must_and_bounds_what_it_may(
    roles: Roles, api: httpx.AsyncClient
) -> None:
    too_large = await api.post("/devices", json={"name": "x", "notes": "n" * 3_000_000})
    assert too_large.status_code == 413
    ticket = (await api.post("/live/ticket")).json()["ticket"]
    page = f"ws://127.0.0.1:{roles.port}/live?ticket={ticket}"
    async with connect(page, proxy=None, origin=Origin(roles.url)) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), 5)) == {"changed": ["*"]}
    with pytest.raises(InvalidStatus) as refused:
        await connect(roles.tunnel(), proxy=None, origin=Origin("https://evil.example"))
    assert refused.value.response.status_code == 403


async def test_an_emptied_valkey_costs_seconds(roles: Roles, api: httpx.AsyncClient) -> None:
    one, two = roles.of("hub")
    async with boxes(api, {"on a": roles.tunnel(one), "on b": roles.tunnel(two)}) as here:
        assert all([await is_done(api, box) for box in here.values()])
        with Redis.from_url(str(roles.parts.valkey_url)) as valkey:
            valkey.flushall()
        began = time.monotonic()
        for node in roles.of("api"):
            async with roles.client(node) as direct:
                for box in here.values():
                    left = 10 - (time.monotonic() - began)

                    async def works(box: Box = box, direct: httpx.AsyncClient = direct) -> bool:
                        return await is_done(direct, box)

                    await eventually(works, within=left, what="commands work after a wipe")
        assert all(count == 1 for box in here.values() for count in box.done.values())


async def test_a_hub_that_slept_writes_nothing_for_a_device_that_moved_on(
    roles: Roles, api: httpx.AsyncClient
) -> None:
    """SIGSTOP hub A, the device goes to B, speaks to A too, SIGCONT."""
    a, b = roles.of("hub")
    box = await Box.make(api, "moves on", roles.tunnel(b))
    old = await box.dial(roles.tunnel(a))
    a.pause()
    try:
        await box.start()
        stale = {"type": "shadow_reported", "id": "s", "reported": {"over": "old"}}
        sample = {"time": now(), "cpu_percent": 666.0}
        batch = {"type": "telemetry", "boot_id": "other", "sequence": 1, "samples": [sample]}
        for frame in (stale, batch):
            await old.send(json.dumps(frame))
        assert box.socket is not None
        fresh = {"type": "shadow_reported", "id": "f", "reported": {"over": "new"}}
        await box.socket.send(json.dumps(fresh))
        assert await is_done(api, box)
    finally:
        a.resume()
    said: list[str] = []
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            said.append(json.loads(await asyncio.wait_for(old.recv(), 15))["type"])
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4409
    assert said in ([], ["error"]), "it acknowledges nothing"
    shadow = (await api.get(f"/devices/{box.device_id}/shadow")).json()
    assert shadow["reported"] == {"over": "new"}
    assert shadow["version"] == 1
    assert await stored(roles, box) == []
    assert await is_done(api, box)
    await box.stop()


class Load:
    """Calls through the proxy, as many as come; `statuses` by kind."""

    def __init__(self, api: httpx.AsyncClient, box: Box) -> None:
        self.statuses: dict[str, Counter[int | str]] = {
            "get": Counter(),
            "post": Counter(),
            "order": Counter(),
        }
        self.orders: dict[str, str] = {}
        self._api, self._box = api, box
        self._stopping = False

    async def run(self) -> None:
        """Until `stop`."""
        await asyncio.gather(
            *(self._again("get", self._get) for _ in range(3)),
            *(self._again("post", self._post) for _ in range(3)),
            self._again("order", self._order),
        )

    def stop(self) -> None:
        self._stopping = True

    @property
    def failed(self) -> dict[str, dict[int | str, int]]:
        """What was answered otherwise than with success."""
        return {
            kind: {
                status: count for status, count in seen.items() if isinstance(status, str) or status >= 400
            }
            for kind, seen in self.statuses.items()
        }

    async def _again(self, kind: str, call: Callable[[], Awaitable[httpx.Response]]) -> None:
        while not self._stopping:
            try:
                self.statuses[kind][(await call()).status_code] += 1
            except httpx.TransportError as error:
                self.statuses[kind][type(error).__name__] += 1
            await asyncio.sleep(0.03)

    async def _get(self) -> httpx.Response:
        return await self._api.get("/devices", params={"limit": 5})

    async def _post(self) -> httpx.Response:
        return await self._api.post("/provisioning-codes", json={"name": "x"})

    async def _order(self) -> httpx.Response:
        answer = await order(self._api, self._box, wait=5)
        if answer.status_code in (200, 202):
            self.orders[answer.json()["id"]] = answer.json()["status"]
        return answer


@asynccontextmanager
async def load(api: httpx.AsyncClient, box: Box) -> AsyncIterator[Load]:
    made = Load(api, box)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        made.stop()
        await running


async def test_an_api_is_restarted_and_nobody_notices(roles: Roles, api: httpx.AsyncClient) -> None:
    async with boxes(api, {"box": roles.tunnel()}) as here, load(api, here["box"]) as calls:
        await asyncio.sleep(1)
        for node in roles.of("api"):
            code, seconds = await node.end()
            assert code == 0 and seconds < 15, (node.name, code, seconds)
            await node.restart()
            await asyncio.sleep(0.5)
    assert calls.failed == {"get": {}, "post": {}, "order": {}}
    assert calls.statuses["post"][201] > 50
    assert calls.statuses["order"][200] > 5


async def test_a_hub_that_is_restarted_lets_its_devices_move(roles: Roles, api: httpx.AsyncClient) -> None:
    names = [f"box {number}" for number in range(6)]
    async with boxes(api, {name: roles.tunnel() for name in names}, interval=0.2) as here:
        node = roles.of("hub")[0]
        code, seconds = await node.end()
        assert code == 0 and seconds < DRAIN + 8, (code, seconds)
        moved = [box for box in here.values() if box.closes]
        assert moved and all(box.drains == 1 and box.closes[0] in (1000, 1012) for box in moved)
        for box in here.values():
            await asyncio.wait_for(box.is_in.wait(), 10)
            assert await is_done(api, box)
        await node.restart()
        await check_samples(roles, here)


async def check_samples(roles: Roles, here: dict[str, Box]) -> None:
    """All that was acknowledged is there, and nothing is there twice."""
    for box in here.values():
        box.interval = 0

        async def nothing_left(box: Box = box) -> bool:
            return not box.unacknowledged

        await eventually(nothing_left, within=15, what="everything is acknowledged")
        rows = await stored(roles, box)
        assert len(rows) == len(set(rows)), "nothing is stored twice"
        assert set(rows) == box.acknowledged == set(range(1, box.sequence + 1)), "nothing is lost"


async def test_each_of_the_six_is_killed_under_load(roles: Roles, api: httpx.AsyncClient) -> None:
    names = [f"unit {number}" for number in range(6)]
    hub = roles.of("hub")[0]
    alone = await Box.make(api, "stays away", roles.tunnel(hub), comes_back=False)
    await alone.start()
    lost_at = 0.0
    async with (
        boxes(api, {name: roles.tunnel() for name in names}, interval=0.2) as here,
        load(api, here["unit 0"]) as calls,
    ):
        turn = [roles.of(role)[number] for number in (0, 1) for role in ("hub", "api", "worker")]
        for node, twin in zip(turn, turn[3:] + turn[:3], strict=True):
            await twin.until_ready()
            await node.kill()
            lost_at = lost_at or time.monotonic()
            await asyncio.sleep(1.0)
            for box in here.values():
                await asyncio.wait_for(box.is_in.wait(), 15)
            await carries_on(api, here, node)
            node.spawn()

        async def is_offline() -> bool:
            return (await api.get(f"/devices/{alone.device_id}")).json()["status"] == "offline"

        await eventually(
            is_offline, within=max(1, 30 - (time.monotonic() - lost_at)), what="it is seen to be away"
        )
        await check_samples(roles, here)
    await alone.stop()
    assert calls.statuses["get"][200] > 100
    for kind, failed in calls.failed.items():
        # What one process had in hand when it was killed, and commands while the device changed its hub.
        assert sum(failed.values()) <= 40, (kind, calls.statuses[kind])
    await check_orders(api, here["unit 0"], calls)


async def carries_on(api: httpx.AsyncClient, here: dict[str, Box], killed: Node) -> None:
    """With one process gone everything works: calls, commands to every device, pages, samples."""
    for box in here.values():

        async def works(box: Box = box) -> bool:
            return await is_done(api, box)

        await eventually(works, within=10, what=f"commands to every device without {killed.name}")
    before = {name: len(box.acknowledged) for name, box in here.items()}

    async def flows() -> bool:
        return all(len(box.acknowledged) > before[name] for name, box in here.items())

    await eventually(flows, within=10, what=f"samples are stored without {killed.name}")


async def check_orders(api: httpx.AsyncClient, box: Box, calls: Load) -> None:
    """Each command was done at most once; what was said to be done was, and each comes to one end."""
    assert calls.orders
    for command_id, status in calls.orders.items():
        if status == "done":
            assert box.done[command_id] == 1

        async def is_final(command_id: str = command_id) -> bool:
            answer = await api.get(f"/commands/{command_id}")
            return answer.json()["status"] not in ("queued", "sent")

        if status in ("queued", "sent"):
            await eventually(is_final, within=70, what="a command comes to its end")
    assert all(count == 1 for count in box.done.values())
