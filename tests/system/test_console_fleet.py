"""Ten thousand devices in the console's table: found, scrolled, tagged; one watched as it lives; tables in and out."""

import asyncio
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from tests.system.axe import violations
from tests.system.browser import log_in, open_page, picture
from tests.system.product import BIN, Cloud, Program, clean_environment, eventually

pytestmark = pytest.mark.timeout(600)
"""Registering is limited to a hundred devices a second, so that the fleet alone takes nearly two minutes."""

FLEET, CONNECTED, TAGGED = 10_000, 200, 500
_AT_ONCE = 16
_FRAMES = """() => { const gaps = []; let last = performance.now();
    const tick = now => { gaps.push(now - last); last = now; window.__frame = requestAnimationFrame(tick) };
    window.__gaps = gaps; window.__frame = requestAnimationFrame(tick) }"""


async def _register(cloud: Cloud, token: str) -> None:
    """The part of the fleet that is only rows: every nineteenth of it stands in hall 7, `TAGGED` in all."""
    limits = httpx.Limits(max_connections=_AT_ONCE)
    headers = {"authorization": token}
    async with httpx.AsyncClient(
        base_url=f"{cloud.url}/api/v1", headers=headers, limits=limits, timeout=60
    ) as api:
        numbers = iter(range(FLEET - CONNECTED))

        async def work() -> None:
            for number in numbers:
                hall = "hall-7" if number % 19 == 0 and number // 19 < TAGGED else "hall-1"
                body = {"name": f"press-{number:05d}", "tags": [hall]}
                # It is the server that says when to go on: there is no event to wait for.
                while (answer := await api.post("/devices", json=body)).status_code == 429:  # noqa: ASYNC110
                    await asyncio.sleep(float(answer.headers["retry-after"]))
                assert answer.status_code == 201, answer.text

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


@pytest.fixture
def fleet(cloud: Cloud, tmp_path: Path) -> Iterator[Cloud]:
    """`FLEET` devices, `CONNECTED` of them simulated and online."""
    simulator = Program(
        [
            str(BIN / "edgeflow-cloud"),
            "simulate",
            *("--devices", str(CONNECTED), "--url", f"127.0.0.1:{cloud.port}", "--rate", "0.5"),
        ],
        clean_environment({"EDGEFLOW_SIMULATE_PASSWORD": cloud.password}),
        tmp_path,
        "simulator",
    )
    simulator.start()
    owner = cloud.owner()
    asyncio.run(_register(cloud, owner.headers["authorization"]))

    def all_in() -> bool:
        online = owner.get("/devices", params={"status": "online", "limit": 1}).json()["total"]
        return online >= CONNECTED

    eventually(all_in, within=120, what="the simulated devices are online")
    yield cloud
    simulator.end(signal.SIGINT)


def scroll(page: Page) -> None:
    """By the wheel, then to the far end: rows follow, and only those on screen are there."""
    page.evaluate(_FRAMES)
    page.mouse.move(700, 500)
    for _ in range(60):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(16)
    gaps = sorted(page.evaluate("() => { cancelAnimationFrame(window.__frame); return window.__gaps }"))
    # Not a figure of merit, since this machine does other things too: half of the frames came in time all the same.
    assert gaps[len(gaps) // 2] < 50, gaps[-10:]
    page.wait_for_timeout(1_000)  # the wheel's own glide ends, and would take back a jump
    rows = page.get_by_role("row")
    assert rows.count() < 90, "only what is on screen is in the page"
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    last = page.locator('[role="row"]').filter(has_text="simulated-").last
    expect(last).to_be_visible()
    began = time.monotonic()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    expect(page.get_by_role("link", name=f"press-{FLEET // 2 + 6:05d}")).to_be_in_viewport()
    assert time.monotonic() - began < 10


def tag_many(page: Page, cloud: Cloud) -> None:
    page.get_by_label("Search devices").fill("hall-7")
    expect(page.get_by_text(f"All{TAGGED}")).to_be_visible()
    page.get_by_label("Pick all that match").check()
    expect(page.get_by_text(f"{TAGGED} devices picked")).to_be_visible()
    picture(page, "devices-picked")
    page.get_by_role("button", name="Change tags").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Add").fill("spring-service")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text(f"Reaches {TAGGED} devices and changes {TAGGED} of them.")).to_be_visible()
    picture(page, "devices-tag")
    dialog.get_by_role("button", name=f"Change {TAGGED} devices").click()
    expect(page.get_by_text(f"{TAGGED} devices are tagged anew.")).to_be_visible()
    tagged = cloud.owner().get("/devices", params={"tag": "spring-service", "limit": 1}).json()
    assert tagged["total"] == TAGGED


def watch_one(page: Page) -> None:
    """Its measurements move without a reload."""
    page.get_by_label("Search devices").fill("simulated-")
    page.get_by_role("link", name=re.compile("simulated-")).first.click()
    expect(page.get_by_text(re.compile("Online for"))).to_be_visible()
    page.get_by_role("link", name="Measurements").click()
    value = page.get_by_role("figure").first.get_by_text(re.compile(r"^\d+\.\d %$")).first
    expect(value).to_be_visible(timeout=30_000)
    seen = value.inner_text()
    eventually(lambda: value.inner_text() != seen, within=30, what="another measurement is shown")
    page.wait_for_timeout(6_000)  # the picture shall show a line
    page.get_by_text("15 min", exact=True).click()
    page.wait_for_timeout(1_000)
    picture(page, "device-metrics")
    assert violations(page) == []


def move_table(page: Page, cloud: Cloud, folder: Path) -> None:
    """A table with a mistake is mended in place and imported; what a query finds comes out, and goes in unchanged."""
    page.goto(f"{cloud.url}/devices/import")
    table = page.get_by_label("Paste a table")
    table.fill("name,tags,notes\noven-1,bakery hall-3,\noven-2,bakery,New door\n,bakery,\n")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text(",bakery,", exact=True)).to_be_visible()
    expect(page.get_by_text("1 line has an error")).to_be_visible()
    picture(page, "import-mistake")
    assert violations(page) == []
    table.fill("name,tags,notes\noven-1,bakery hall-3,\noven-2,bakery,New door\noven-3,bakery,\n")
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Import 3 devices").click()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    picture(page, "import-done")
    with page.expect_download() as keys:
        page.get_by_role("button", name="Save the keys as CSV").click()
    keys.value.save_as(folder / "keys.csv")
    made = [line.split(",") for line in (folder / "keys.csv").read_text().splitlines()[1:]]
    assert [name for name, _, _ in made] == ["oven-1", "oven-2", "oven-3"]
    assert all(key for _, _, key in made)

    page.get_by_role("link", name="To the devices").click()
    page.get_by_label("Search devices").fill("tag = bakery")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_label("Import and export").click()
    with page.expect_download() as file:
        page.get_by_role("menuitem", name="Export these as CSV").click()
    file.value.save_as(folder / "devices.csv")
    assert (folder / "devices.csv").read_text("utf-8-sig").count("oven-") == 3
    page.get_by_label("Import and export").click()
    page.get_by_role("menuitem", name="Import from CSV").click()
    page.locator("input[type=file]").set_input_files(folder / "devices.csv")
    expect(page.get_by_role("button", name="Nothing to import")).to_be_visible()


def restore_shadow(page: Page, cloud: Cloud) -> None:
    """An earlier wish is looked at beside the present one, and wanted again."""
    owner = cloud.owner()
    device_id = owner.get("/devices", params={"search": "oven-1"}).json()["items"][0]["device_id"]
    first = {"interval": 10, "mode": "auto"}
    shadow = f"/devices/{device_id}/shadow"
    version = owner.put(shadow, json={"desired": first}).json()["version"]
    assert owner.put(shadow, json={"desired": {"mode": None, "interval": 20}}).status_code == 200
    page.goto(f"{cloud.url}{shadow}")
    page.get_by_role("link", name="History").click()
    versions = page.get_by_role("list", name="Versions")
    versions.get_by_role("button", name=re.compile(rf"^{version} Desired")).click()
    page.get_by_role("button", name="Since then").click()
    expect(page.get_by_role("row", name=re.compile("mode removed"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("interval changed"))).to_be_visible()
    picture(page, "shadow-history")
    assert violations(page) == []
    page.get_by_role("button", name=f"Restore version {version}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row", name=re.compile("mode added"))).to_be_visible()
    picture(page, "shadow-restore")
    dialog.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_text(f"Restored as version {version + 2}")).to_be_visible()
    assert owner.get(shadow).json()["desired"] == first


def test_ten_thousand_devices_are_searched_scrolled_tagged_and_one_is_watched(
    fleet: Cloud, tmp_path: Path
) -> None:
    with open_page() as page:
        log_in(page, fleet.url, fleet.password)
        total = fleet.owner().get("/devices", params={"limit": 1}).json()["total"]
        assert total >= FLEET
        expect(page.get_by_text(f"All{total:,}")).to_be_visible()
        picture(page, "devices-10000")
        assert violations(page) == []

        page.get_by_label("Search devices").fill("press-04242")
        expect(page.get_by_role("link", name="press-04242")).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_label("Clear the search").click()
        expect(page.get_by_text(f"All{total:,}")).to_be_visible()

        scroll(page)
        page.evaluate("window.scrollTo(0, 0)")
        tag_many(page, fleet)
        watch_one(page)
        move_table(page, fleet, tmp_path)
        restore_shadow(page, fleet)
