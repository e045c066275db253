"""The console in a real browser: log in, add a device, see it arrive, configure it, run a command."""

import json
import re
import signal
from pathlib import Path

from playwright.sync_api import expect

from tests.system.browser import log_in, open_page, picture
from tests.system.product import Cloud, eventually, make_agent


def test_a_person_adds_a_device_and_takes_care_of_it(cloud: Cloud, tmp_path: Path) -> None:
    with open_page() as page:
        page.goto(cloud.url)
        page.get_by_label("E-mail").wait_for()
        picture(page, "login")
        log_in(page, cloud.url, cloud.password)

        page.get_by_role("link", name="Add device").first.click()
        expect(page.get_by_text("Boards on the network cannot reach this server")).to_be_visible()
        page.get_by_label("Device name").fill("Packing line 3")
        page.get_by_role("button", name="Create code").click()
        code = page.get_by_test_id("provisioning-code").inner_text()
        assert re.fullmatch(r"PROV-[0-9A-Z]{4}-[0-9A-Z]{4}", code)
        expect(page.get_by_text(f"EDGEFLOW_PROVISIONING_CODE={code}")).to_be_visible()
        picture(page, "add-device")

        agent = make_agent(cloud, tmp_path / "agent", code=code, EDGEFLOW_AGENT_METRICS_INTERVAL="1s")
        agent.start()
        expect(page.get_by_text("Packing line 3 is online")).to_be_visible(timeout=30_000)
        picture(page, "device-arrived")

        page.get_by_role("link", name="Open the device").click()
        expect(page.get_by_text(re.compile("Online for"))).to_be_visible()
        expect(page.get_by_text(re.compile(r"\d+\.\d %")).first).to_be_visible(timeout=30_000)
        page.wait_for_timeout(4_000)  # the chart shall show a line, not a dot, in the picture
        picture(page, "device")

        page.get_by_role("link", name="Shadow").click()
        page.get_by_role("button", name="Edit desired").click()
        editor = page.get_by_role("textbox", name="Desired state as JSON")
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(
            json.dumps({"metrics_interval_seconds": 2, "log_level": "debug", "colour": "red"})
        )
        picture(page, "shadow-editor")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("1 key waits for the device")).to_be_visible(timeout=15_000)
        picture(page, "shadow")

        page.get_by_role("link", name="Commands").click()
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_text("Done").first).to_be_visible()
        picture(page, "command")

        page.get_by_role("link", name="Devices").first.click()
        expect(page.get_by_text("Packing line 3")).to_be_visible()
        picture(page, "devices")
        agent.end(signal.SIGTERM)
        row = page.get_by_role("row").filter(has_text="Packing line 3")
        expect(row.get_by_text("Connected")).to_have_count(0, timeout=5_000)

    owner = cloud.owner()
    device = owner.get("/devices", params={"search": "Packing line 3"}).json()["items"][0]
    shadow = owner.get(f"/devices/{device['device_id']}/shadow").json()
    assert shadow["reported"]["metrics_interval_seconds"] == 2
    assert shadow["delta"] == {"colour": "red"}
    commands = owner.get(f"/devices/{device['device_id']}/commands").json()["items"]
    assert [(item["action"], item["status"]) for item in commands] == [("health_check", "done")]


def test_the_dark_theme_and_a_phone_show_the_same(cloud: Cloud, tmp_path: Path) -> None:
    agent = make_agent(cloud, tmp_path / "agent", code=cloud.code("Greenhouse"))
    agent.start()
    owner = cloud.owner()
    eventually(
        lambda: [
            item
            for item in owner.get("/devices", params={"search": "Greenhouse"}).json()["items"]
            if item["status"] == "online"
        ],
        within=20,
        what="the agent is online",
    )
    with open_page(scheme="dark") as page:
        log_in(page, cloud.url, cloud.password)
        page.get_by_text("Greenhouse").click()
        expect(page.get_by_text(re.compile("Online for"))).to_be_visible()
        picture(page, "device-dark")
    with open_page(width=390, height=844) as page:
        log_in(page, cloud.url, cloud.password)
        expect(page.get_by_text("Greenhouse")).to_be_visible()
        picture(page, "devices-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing runs off a phone's edge"
    agent.end(signal.SIGTERM)


def test_wrong_password_and_unknown_page_speak_to_people(cloud: Cloud) -> None:
    with open_page() as page:
        page.goto(cloud.url)
        page.get_by_label("E-mail").fill("owner@edgeflow.local")
        page.get_by_label("Password", exact=True).fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        picture(page, "login-refused")
        log_in(page, cloud.url, cloud.password)
        page.goto(f"{cloud.url}/nothing-here")
        expect(page.get_by_text("There is no such page")).to_be_visible()
