"""A signed flow from the API onto a real device: desired, fetched, checked, tried, reported, replaced, taken back."""

import signal
from pathlib import Path
from typing import Any

import httpx2 as httpx

from tests.system.product import Cloud, eventually, make_agent
from tests.system.test_device import device_of, is_online


def flow(kind: str = "debug") -> dict[str, Any]:
    return {
        "name": "Counter",
        "nodes": [
            {"id": "n1", "type": "inject", "config": {"intervalType": "seconds", "intervalValue": 1}},
            {"id": "n2", "type": kind, "config": {}},
        ],
        "connections": [{"source": "n1", "target": "n2"}],
    }


class Device:
    """What its owner sees of it."""

    def __init__(self, owner: httpx.Client, device_id: str) -> None:
        self.owner = owner
        self.path = f"/devices/{device_id}"

    def want(self, version: int, definition: dict[str, Any]) -> None:
        made = self.owner.post(
            "/flow-bundles", json={"flow_id": "f", "version": version, "definition": definition}
        )
        assert made.status_code == 201, made.text
        desired = {"flows": {"f": {"version": version, "enabled": True, "bundle": made.json()["bundle"]}}}
        changed = self.owner.put(f"{self.path}/shadow", json={"desired": desired})
        assert changed.status_code == 200, changed.text

    def seen(self) -> dict[str, Any]:
        return self.owner.get(f"{self.path}/shadow").json()["reported"].get("flows", {}).get("f", {})

    def command(self, action: str, **payload: Any) -> dict[str, Any]:
        answer = self.owner.post(f"{self.path}/commands", json={"action": action, "payload": payload})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_running(self, version: int) -> bool:
        return (self.seen().get("version"), self.seen().get("status")) == (version, "running")


def test_a_signed_flow_is_deployed_replaced_and_taken_back(cloud: Cloud, tmp_path: Path) -> None:
    owner = cloud.owner()
    agent = make_agent(cloud, tmp_path / "agent", code=cloud.code("Loom"))
    agent.start()
    eventually(lambda: is_online(owner, "Loom"), within=20, what="the agent is online")
    found = device_of(owner, "Loom")
    assert found is not None
    device = Device(owner, found["device_id"])

    device.want(1, flow())
    eventually(lambda: device.is_running(1), within=40, what="the first version runs")
    shadow = owner.get(f"{device.path}/shadow").json()
    assert "flows" not in shadow["delta"], shadow["delta"]
    listed = device.command("list_flows")["result"]["flows"]
    assert [(each["id"], each["status"], each["origin"]) for each in listed] == [("f", "running", "desired")]

    def told(what: str) -> list[dict[str, Any]]:
        return owner.get(f"{device.path}/{what}").json().get("items", [])

    run = eventually(lambda: told("executions"), within=20, what="executions are stored")[0]
    assert (run["flow_id"], run["status"]) == ("f", "succeeded")
    eventually(lambda: told("logs"), within=20, what="log lines are stored")
    eventually(
        lambda: "flow_deployed" in [event.get("code") for event in told("events")],
        within=20,
        what="what happened on the device is stored",
    )

    assert owner.post("/flow-keys/rotate", json={}).status_code == 200
    device.want(2, flow())
    eventually(lambda: device.is_running(2), within=40, what="one signed with the next key runs")

    device.want(3, flow("perpetuum-mobile"))
    eventually(lambda: device.seen().get("status") == "rolled_back", within=40, what="a bad one is left")
    assert device.seen()["version"] == 2
    assert "perpetuum-mobile" in device.seen()["error"]

    unsigned = device.command("create_flow", id="g", **flow())
    assert unsigned["status"] == "failed"
    assert "not signed" in unsigned["error"]

    assert agent.end(signal.SIGTERM) == 0
    owner.put(f"{device.path}/shadow", json={"desired": {"flows": {"f": None}}})
    agent.start()
    eventually(lambda: device.seen() == {}, within=40, what="what is not desired any more is gone")
    assert agent.end(signal.SIGTERM) == 0
