"""The agent as its owner installs it: one line, then a service of systemd that runs, survives, stops and goes away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import free_port
from tests.system.machine import CannotBoot, Machine
from tests.system.product import Cloud, eventually
from tests.system.test_device import device_of, is_online
from tests.system.test_flows import Device

UNIT = "edgeflow-agent"
OUT = "/var/lib/edgeflow-agent/out.txt"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    try:
        made = Machine.boot(tmp_path)
    except CannotBoot as why:
        pytest.skip(f"no machine can be booted here: {why}")
    yield made
    made.end()


def flow() -> dict[str, Any]:
    """JavaScript, Python behind its walls, and a file: what a service's walls could break."""
    return {
        "name": "Walls",
        "nodes": [
            {"id": "tick", "type": "inject", "config": {"intervalType": "seconds", "intervalValue": 1, "payload": 20}},
            {"id": "js", "type": "function", "config": {"func": "msg.payload = msg.payload + 1; return msg;"}},
            {"id": "py", "type": "python", "config": {"code": "msg['payload'] = msg['payload'] * 2"}},
            {"id": "file", "type": "file-out", "config": {"filename": OUT, "action": "append", "addNewline": True}},
        ],
        "connections": [
            {"source": "tick", "target": "js"}, {"source": "js", "target": "py"}, {"source": "py", "target": "file"},
        ],
    }  # fmt: skip


def test_one_line_makes_a_service_that_runs_survives_stops_and_goes_away(
    cloud: Cloud, machine: Machine
) -> None:
    owner = cloud.owner()
    port = free_port()
    machine.shell(
        "groupadd --force gpio; mkdir -p /etc/edgeflow-agent;"
        f"echo EDGEFLOW_SERVER_PORT={port} >/etc/edgeflow-agent/agent.env"
    )
    install = f"curl -fsSL {cloud.url}/install.sh | sh -s --"
    said = machine.shell(f"{install} {cloud.code('Press')}", within=300)
    assert "The agent runs." in said
    eventually(lambda: is_online(owner, "Press"), within=20, what="the device is online")
    found = device_of(owner, "Press")
    assert found is not None
    device = Device(owner, found["device_id"])

    assert machine.shows(UNIT, "User") == "edgeflow"
    assert {"gpio", "dialout"} <= set(machine.shell("id -nG edgeflow").split())
    assert machine.shell("stat -c '%a %U %G' /etc/edgeflow-agent/agent.env").split() == [
        "640",
        "root",
        "edgeflow",
    ]
    assert machine.shell("stat -c '%a %U' /var/lib/edgeflow-agent").split() == ["700", "edgeflow"]
    machine.shell("runuser -u edgeflow -- edgeflow-agent doctor")
    assert f"{found['device_id']}: online" in machine.shell("edgeflow-agent status")

    device.want(1, flow())
    eventually(lambda: device.is_running(1), within=40, what="the flow runs")
    eventually(lambda: "42" in machine.run("cat", OUT).stdout.split(), within=20, what="its file is written")

    machine.shell(f"systemctl kill --signal=KILL {UNIT}")
    eventually(lambda: machine.shows(UNIT, "NRestarts") == "1", within=20, what="systemd starts it again")
    machine.until_active(UNIT, within=20)
    eventually(lambda: is_online(owner, "Press"), within=20, what="it is back")
    machine.shell(f"rm {OUT}")
    eventually(lambda: "42" in machine.run("cat", OUT).stdout.split(), within=20, what="its flow runs again")

    # Again: an update, which keeps what it is and what a person wrote.
    assert "The agent runs." in machine.shell(install, within=300)
    assert f"EDGEFLOW_SERVER_PORT={port}" in machine.shell("cat /etc/edgeflow-agent/agent.env")
    eventually(
        lambda: ": online" in machine.run("edgeflow-agent", "status").stdout, within=20, what="it is back"
    )

    machine.shell(f"systemctl stop {UNIT}")
    assert (machine.shows(UNIT, "Result"), machine.shows(UNIT, "ExecMainStatus")) == ("success", "0")
    eventually(lambda: not is_online(owner, "Press"), within=5, what="the cloud sees that it stopped")
    journal = machine.shell(f"journalctl --no-pager -u {UNIT}")
    assert "has stopped" in journal
    assert "Traceback" not in journal
    assert "walls are not whole" not in journal, (
        "flows' Python has no network and a read-only root, for this user, too"
    )

    machine.shell(f"{install} --uninstall --purge")
    for place in ("/opt/edgeflow-agent", "/var/lib/edgeflow-agent", "/usr/local/bin/edgeflow-agent"):
        assert machine.run("test", "-e", place).returncode == 1, place
    assert machine.shows(UNIT, "LoadState") == "not-found"
