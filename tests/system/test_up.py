"""`edgeflow-cloud up`: what a person sees in the first minutes."""

import re
import signal
import subprocess
import time
from collections.abc import Callable

from tests.system.product import Cloud, Program, eventually, make_agent


def test_up_ends_with_a_device_online_and_leaves_nothing_behind(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    cloud.up(demo=True)
    eventually(
        lambda: "device online" in cloud.program.said(), within=20, what="the demo device is announced"
    )
    said = cloud.program.said()
    assert cloud.url in said
    assert "owner@edgeflow.local" in said
    devices = cloud.owner().get("/devices").json()["items"]
    assert [(device["name"], device["status"]) for device in devices] == [("Demo device", "online")]
    assert devices[0]["hardware"]["cpu_cores"] >= 1

    assert cloud.program.end(signal.SIGINT) == 0
    eventually(lambda: not cloud.children(), within=5, what="no process is left")

    cloud.program.log.unlink()
    began = time.monotonic()
    cloud.up(demo=True)
    eventually(lambda: "device online" in cloud.program.said(), within=20, what="the device is back")
    seconds = time.monotonic() - began
    assert "Password" not in cloud.program.said()
    assert [device["device_id"] for device in cloud.owner().get("/devices").json()["items"]] == [
        devices[0]["device_id"]
    ]
    assert seconds < 20, (
        f"ready again after {seconds:.1f} s"
    )  # 6 s on an idle machine: `make bench` measures it
    assert cloud.program.end(signal.SIGTERM) == 0
    eventually(lambda: not cloud.children(), within=5, what="no process is left")


def test_a_taken_port_and_a_taken_folder_are_sentences(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    cloud.up()
    for change, wanted in (
        ({"EDGEFLOW_DATA_DIR": str(cloud.folder / "other")}, rf"Port {cloud.port} .* taken"),
        ({"EDGEFLOW_PORT": "0"}, r"already|runs"),
    ):
        second = subprocess.run(
            cloud.program.command,
            env={**cloud.program.environment, **change},
            cwd=cloud.folder,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert second.returncode != 0
        assert re.search(wanted, second.stdout + second.stderr), second.stderr
        assert "Traceback" not in second.stderr


def test_everything_killed_at_once_comes_back_with_its_data(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    cloud.up()
    code = cloud.code("Press 7")
    agent: Program = make_agent(cloud, cloud.folder / "agent", code=code)
    agent.start()
    owner = cloud.owner()
    eventually(
        lambda: [d["status"] for d in owner.get("/devices").json()["items"]] == ["online"],
        within=15,
        what="the agent is online",
    )
    connected_at = owner.get("/devices").json()["items"][0]["connected_at"]
    cloud.kill_everything()
    cloud.up()
    owner = cloud.owner()
    assert [d["name"] for d in owner.get("/devices").json()["items"]] == ["Press 7"]
    eventually(
        lambda: [d for d in owner.get("/devices").json()["items"] if d["connected_at"] > connected_at],
        within=30,
        what="the agent came back by itself",
    )
    assert agent.end(signal.SIGTERM) == 0
    eventually(
        lambda: [d["status"] for d in owner.get("/devices").json()["items"]] == ["offline"],
        within=3,
        what="its departure is seen",
    )
