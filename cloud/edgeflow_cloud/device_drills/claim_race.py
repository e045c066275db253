"""One provisioning code, fifty claims at once: of different boxes one gets a device, of one box all get the same."""

import asyncio
from collections import Counter
from typing import Any

import httpx2

from edgeflow_cloud.drills import CannotRun, Drill, Ground, Layout, Order, Report, open_stack

_AT_ONCE = 50


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Two codes, two crowds; each claim from an address of its own, as boxes have them."""
    async with (
        open_stack(ground, Layout(0, 0, 0, 1), report, mutant=order.mutant) as stack,
        stack.owner() as api,
    ):
        node = stack.of("all")[0]
        url = f"http://127.0.0.1:{node.port}/api/v1/devices/provision"
        made = await api.post("/provisioning-codes", json={"count": 2})
        if made.status_code != 201:
            raise CannotRun(f"No codes: {made.status_code} {made.text[:300]}")
        one, other = [item["code"] for item in made.json()["items"]]
        await _strangers(report, url, one, (await _count(api)))
        before = await _count(api)
        report.check(before == 1, f"one code makes one device: there are {before}")
        if order.mutant:
            return
        await _same_box(report, url, other)
        report.check(await _count(api) == before + 1, "the same box makes one device, however often it asks")


async def _strangers(report: Report, url: str, code: str, before: int) -> None:
    """Fifty boxes: one is answered 201, all others get one and the same refusal."""
    answers = await asyncio.gather(*(_claim(url, code, number, number) for number in range(_AT_ONCE)))
    good = [answer for answer in answers if answer.status_code in (200, 201)]
    said = Counter(
        (answer.status_code, answer.json().get("code")) for answer in answers if answer not in good
    )
    report.fact("claims by different boxes", f"{len(good)} got a device, refused {dict(said)}")
    report.check(before == 0, f"there is no device before: {before}")
    report.check(len(good) == 1, f"of {_AT_ONCE} boxes one gets the device: {len(good)} did")
    texts = {answer.json().get("detail") for answer in answers if answer not in good}
    report.check(
        len(said) <= 1 and len(texts) <= 1 and all(400 <= status < 429 for status, _ in said),
        f"the others get one and the same refusal: {dict(said)}, {texts}",
    )


async def _same_box(report: Report, url: str, code: str) -> None:
    """One box that asks fifty times: one identity, and of its keys the newest works."""
    answers = await asyncio.gather(*(_claim(url, code, 7, number) for number in range(_AT_ONCE)))
    statuses = Counter(answer.status_code for answer in answers)
    good = [answer.json() for answer in answers if answer.status_code in (200, 201)]
    devices = {body["device_id"] for body in good}
    report.fact("claims by one box", f"{dict(statuses)}, {len(devices)} device(s)")
    report.check(len(good) == _AT_ONCE, f"a box that claims again is let in: {dict(statuses)}")
    report.check(len(devices) == 1, f"one box is one device: {len(devices)}")
    async with httpx2.AsyncClient(timeout=20, trust_env=False) as client:
        base = url.removesuffix("/provision")
        tried = await asyncio.gather(
            *(
                client.get(f"{base}/{body['device_id']}/shadow", headers={"x-api-key": body["api_key"]})
                for body in good
            )
        )
    working = sum(answer.status_code == 200 for answer in tried)
    report.check(working == 1, f"of all keys that were given out one is good, the newest: {working} are")


async def _claim(url: str, code: str, box: int, address: int) -> httpx2.Response:
    body: dict[str, Any] = {
        "provisioning_code": code,
        "hardware_info": {"board_model": f"Board of {box}", "os": "linux"},
        "network_info": {"mac_address": f"02:ef:00:00:00:{box:02x}"},
    }
    way = httpx2.AsyncHTTPTransport(local_address=f"127.0.1.{address + 1}")
    async with httpx2.AsyncClient(transport=way, timeout=30) as client:
        return await client.post(url, json=body)


async def _count(api: httpx2.AsyncClient) -> int:
    return len((await api.get("/devices?limit=100")).json()["items"])


DRILL = Drill(
    name="claim-race",
    question="Is a code that fifty boxes show at once one device, and one box that shows it fifty times the same?",
    run=run,
    mutants={"used-again": "a code is taken whether it was used or not"},
    seconds=1.0,
    devices=1,
)
