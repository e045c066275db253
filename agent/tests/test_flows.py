"""Flows on a whole agent: by command, by the shadow, signed and not, locked, offline, and told of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import StartAgent, until
from edgeflow_agent.app import Agent


def flow(topic: str = "tick", **more: Any) -> dict[str, Any]:
    return {
        "name": "Counter",
        "nodes": [
            {
                "id": "n1",
                "type": "inject",
                "config": {"topic": topic, "intervalType": "seconds", "intervalValue": 1},
            },
            {"id": "n2", "type": "debug", "config": {}},
        ],
        "connections": [{"source": "n1", "target": "n2"}],
        **more,
    }


BAD = {"name": "Bad", "nodes": [{"id": "n1", "type": "perpetuum-mobile", "config": {}}], "connections": []}


def reported(cloud: CloudDouble, flow_id: str = "f") -> dict[str, Any]:
    return cloud.shadow("dev_1")["reported"].get("flows", {}).get(flow_id, {})


async def connect(
    cloud: CloudDouble, start_agent: StartAgent, *, signed: bool = True, **settings: Any
) -> Agent:
    if signed and not cloud.signers:
        cloud.signers = [Ed25519PrivateKey.generate()]
    cloud.codes.setdefault("PROV-A", None)
    agent = await start_agent(provisioning_code="PROV-A", **settings)
    await until(lambda: agent.tunnel.connected)
    return agent


async def test_every_flow_command_is_real(cloud: CloudDouble, start_agent: StartAgent) -> None:
    await connect(cloud, start_agent, signed=False)
    made = (await cloud.command("c1", "create_flow", flow()))["data"]
    assert (made["name"], made["status"], made["node_count"]) == ("Counter", "stopped", 2)
    flow_id = made["id"]
    listed = (await cloud.command("c2", "list_flows"))["data"]["flows"]
    assert [(each["id"], each["status"]) for each in listed] == [(flow_id, "stopped")]
    started = (await cloud.command("c3", "start_flow", {"flow_id": flow_id}))["data"]
    assert started["execution_id"].startswith("exec_")
    assert (await cloud.command("c4", "get_flow", {"flow_id": flow_id}))["data"]["status"] == "running"
    await until(lambda: reported(cloud, flow_id).get("status") == "running")
    runs = (await cloud.command("c5", "get_executions", {"flow_id": flow_id}))["data"]["executions"]
    assert runs and runs[0]["status"] in ("succeeded", "running")
    changed = await cloud.command("c6", "update_flow", {"flow_id": flow_id, **flow("tock")})
    assert changed["data"]["version"] == 2
    assert changed["data"]["nodes"][0]["config"]["topic"] == "tock"
    stopped = await cloud.command("c7", "stop_flow", {"flow_id": flow_id})
    assert stopped["data"]["status"] == "stopped"
    refused = await cloud.command("c8", "create_flow", BAD)
    assert "perpetuum-mobile" in refused["error"]
    types = (await cloud.command("types", "get_node_types"))["data"]
    assert types["count"] == len(types["node_types"]) > 10
    one = (await cloud.command("type", "get_node_types", {"type": "inject"}))["data"]["node_types"]
    assert [each["type"] for each in one] == ["inject"]
    twice = await cloud.command("c9", "create_flow", {"id": flow_id, **flow()})
    assert "already" in twice["error"]
    assert (await cloud.command("c10", "delete_flow", {"flow_id": flow_id}))["data"] == {"flow_id": flow_id}
    assert (await cloud.command("c11", "list_flows"))["data"]["flows"] == []
    await until(lambda: reported(cloud, flow_id) == {})


async def test_a_signed_flow_that_is_desired_runs_and_is_reported(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await connect(cloud, start_agent)
    wanted = cloud.sign("f", 1, flow())
    await cloud.desire("dev_1", {"flows": {"f": wanted}})
    await until(lambda: reported(cloud).get("status") == "running")
    assert reported(cloud) == {**wanted, "status": "running"}
    assert agent.sync._runner.delta() == {}
    await cloud.desire("dev_1", {"flows": {"f": {"enabled": False}}})
    await until(lambda: reported(cloud).get("status") == "stopped")
    wanted = cloud.sign("f", 2, flow("tock"))
    await cloud.desire("dev_1", {"flows": {"f": wanted}})
    await until(lambda: reported(cloud).get("version") == 2 and reported(cloud)["status"] == "running")
    for action in ("update_flow", "delete_flow"):
        answer = await cloud.command(f"c-{action}", action, {"flow_id": "f", **flow()})
        assert "the shadow desires it" in answer["error"]
    await until(lambda: cloud.events("flow_deployed"))
    await cloud.desire("dev_1", {"flows": {"f": None}})
    await until(lambda: reported(cloud) == {})
    assert agent.runtime.engine.flows() == []


async def test_a_bad_version_goes_back_by_itself_and_is_not_tried_again(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await connect(cloud, start_agent)
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: reported(cloud).get("status") == "running")
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 2, BAD)}})
    await until(lambda: reported(cloud).get("status") == "rolled_back")
    assert reported(cloud)["version"] == 1
    assert "perpetuum-mobile" in reported(cloud)["error"]
    assert agent.runtime.engine.state("f").status == "running"
    await until(lambda: cloud.events("flow_rolled_back"))
    agent.runtime.keeper.wake()
    await asyncio.sleep(0.3)
    assert len(cloud.events("flow_rolled_back")) == 1
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 3, flow("better"))}})
    await until(lambda: reported(cloud).get("version") == 3)


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ("unsigned", "not signed"),
        ("changed", "not what was announced"),
        ("signature", "does not fit"),
        ("other key", "not pinned"),
        ("other flow", "something else is desired"),
        ("other version", "something else is desired"),
    ],
)
async def test_what_is_not_signed_well_is_refused_before_a_slot_is_written(
    cloud: CloudDouble, start_agent: StartAgent, fault: str, part: str
) -> None:
    agent = await connect(cloud, start_agent)
    wanted = cloud.sign("f", 1, flow())
    match fault:
        case "unsigned":
            wanted = {"version": 1, "enabled": True, "definition": flow()}
        case "changed":
            cloud.bundles[wanted["bundle"]["sha256"]] += b" "
        case "signature":
            wanted["bundle"]["signature"] = cloud.sign("f", 1, flow("x"))["bundle"]["signature"]
        case "other key":
            mine, cloud.signers = cloud.signers, [Ed25519PrivateKey.generate()]
            wanted, cloud.signers = cloud.sign("f", 1, flow()), mine
        case "other flow":
            wanted["bundle"] = cloud.sign("g", 1, flow())["bundle"]
        case _:
            wanted["version"] = 2
    await cloud.desire("dev_1", {"flows": {"f": wanted}})
    await until(lambda: part in reported(cloud).get("error", ""))
    assert reported(cloud)["status"] == "failed"
    assert agent.runtime.deployer.flow_ids == []
    assert agent._folder.names("flow-") == ["flow-keys"]


async def test_commands_need_a_signature_too_unless_the_device_says_otherwise(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await connect(cloud, start_agent)
    assert "not signed" in (await cloud.command("c1", "create_flow", {"id": "f", **flow()}))["error"]
    bundle = cloud.sign("f", 7, flow())["bundle"]
    made = (await cloud.command("c2", "create_flow", {"bundle": bundle}))["data"]
    assert (made["id"], made["version"]) == ("f", 7)
    agent.stop()
    await until(lambda: cloud.line.close_code is not None)
    await asyncio.sleep(0.1)
    agent = await connect(cloud, start_agent, allow_unsigned_flows=True)
    await until(lambda: len(cloud.lines) == 2)
    assert (await cloud.command("c3", "create_flow", {"id": "g", **flow()}))["status"] == "success"


async def test_keys_are_followed_only_along_endorsements(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await connect(cloud, start_agent)
    first = cloud.signers[0]
    cloud.signers = [first, Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()]
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: reported(cloud).get("status") == "running")
    assert len(agent.runtime.trust.keys) == 3
    cloud.signers = [Ed25519PrivateKey.generate()]  # A cloud that was broken into without the key.
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 2, flow("evil"))}})
    await until(lambda: "not pinned" in reported(cloud).get("error", ""))
    assert reported(cloud)["version"] == 1
    assert agent.runtime.engine.state("f").status == "running"


async def test_an_address_that_has_ended_is_asked_for_anew(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    await connect(cloud, start_agent)
    cloud.expired = True
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: reported(cloud).get("status") == "running")


async def test_an_address_that_people_see_and_the_device_does_not(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    await connect(cloud, start_agent)
    wanted = cloud.sign("f", 1, flow())
    wanted["bundle"]["url"] = wanted["bundle"]["url"].replace(f"{cloud.address}/bundles", "127.0.0.1:9/blobs")
    await cloud.desire("dev_1", {"flows": {"f": wanted}})
    await until(lambda: reported(cloud).get("status") == "running")


async def test_a_lock_holds_updates_off_until_it_is_gone(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await connect(cloud, start_agent)
    await agent.set_lock(True, "The press runs.")
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: reported(cloud).get("status") == "locked")
    assert "The press runs." in reported(cloud)["error"]
    assert "locked" in (await cloud.command("c1", "create_flow", {"bundle": {}}))["error"]
    (agent.settings.agent_dir / "update.lock").unlink()  # A program beside the agent.
    agent.runtime.keeper.wake()
    await until(lambda: reported(cloud).get("status") == "running")


async def test_offline_a_device_starts_with_what_it_had(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await connect(cloud, start_agent)
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}, "environment": {"SITE": "mill"}})
    await until(lambda: reported(cloud).get("status") == "running")
    await until(lambda: agent.runtime.deployer.status("f").error == "")  # type: ignore[union-attr]
    agent.stop()
    await until(lambda: cloud.line.close_code is not None)
    await cloud.stop()
    await asyncio.sleep(0.2)
    again = await start_agent(provisioning_code="PROV-A")
    await until(lambda: again.runtime.engine.flows() and again.runtime.engine.state("f").status == "running")
    assert again.runtime.effects.variables == {"SITE": "mill"}
    await cloud.start()


async def test_what_went_while_nobody_listened_is_taken_back(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.codes["PROV-A"] = None
    agent = await connect(cloud, start_agent, signed=False)
    agent.stop()
    await until(lambda: cloud.line.close_code is not None)
    cloud.shadow("dev_1")["reported"] |= {
        "flows": {"gone": {"status": "running"}},
        "shadow_errors": {"x": "Bad."},
    }
    await asyncio.sleep(0.2)
    await connect(cloud, start_agent, signed=False)
    await until(lambda: cloud.shadow("dev_1")["reported"].get("flows") == {})
    await until(lambda: cloud.shadow("dev_1")["reported"].get("shadow_errors", {}).get("x") is None)


async def test_executions_and_lines_are_told_and_kept_until_they_are_acknowledged(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.hold_acks = True
    agent = await connect(cloud, start_agent, signed=False)
    made = (await cloud.command("c1", "create_flow", flow()))["data"]
    await cloud.command("c2", "start_flow", {"flow_id": made["id"]})
    await until(lambda: any(event["kind"] == "execution" for event in cloud.events()))
    run = next(event for event in cloud.events() if event["kind"] == "execution")
    assert run["flow_id"] == made["id"]
    assert {node["node_id"] for node in run["nodes"]} <= {"n1", "n2"}
    await until(lambda: any(key[0] == "logs" for key in cloud.reports))
    lines = [line for key, entries in cloud.reports.items() if key[0] == "logs" for line in entries]
    assert {"time", "level", "source", "message"} <= set(lines[0])
    sent = dict(cloud.reports)
    agent.stop()
    await until(lambda: cloud.line.close_code is not None)
    await asyncio.sleep(0.2)
    cloud.reports.clear()
    cloud.hold_acks = False
    await connect(cloud, start_agent, signed=False)
    await until(lambda: all(key in cloud.reports for key in sent))
    assert all(cloud.reports[key] == entries for key, entries in sent.items())


async def test_pins_by_command_and_by_the_shadow(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await connect(cloud, start_agent, board="simulated")
    state = (await cloud.command("c1", "get_gpio_state"))["data"]
    assert (state["available"], state["board"], state["active_pins"]) == (True, "Simulated board", [])
    assert state["capabilities"]["num_gpio"] == 28
    await cloud.desire("dev_1", {"gpio_config": {"pin_17": "output", "pin_99": "input"}})
    await until(lambda: cloud.shadow("dev_1")["reported"].get("gpio_config") == {"pin_17": "output"})
    assert "no pin 99" in cloud.shadow("dev_1")["reported"]["shadow_errors"]["gpio_config"]
    for payload in (
        {"pin": 17, "value": 1},
        {"pin": "pin_17", "value": "high"},
        {"pin": 17.0, "value": True},
    ):
        answer = await cloud.command(f"c-{payload}", "set_gpio", payload)
        assert answer["data"] == {"pin": 17, "mode": "output", "value": 1}
    for payload, part in (
        ({}, "`pin`"),
        ({"pin": 17, "value": 7}, "`value`"),
        ({"pin": 99, "mode": "input"}, "no pin 99"),
        ({"pin": 17, "mode": "sideways"}, "sideways"),
    ):
        assert part in (await cloud.command(f"c-{payload}", "set_gpio", payload))["error"]
    assert agent.pins.board.read(17) == 1
    engine = agent.runtime.engine  # A flow uses the same pins, each for itself.
    await engine.deploy({"id": "f", "nodes": [{"id": "n", "type": "gpio-out", "config": {"pin": 22}}]})
    await engine.start("f")
    refused = (await cloud.command("c-22", "set_gpio", {"pin": 22, "value": 1}))["error"]
    assert "used by the node n of the flow f" in refused


async def test_without_a_board_pins_are_refused_with_the_reason(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    await connect(cloud, start_agent, board="none")
    state = (await cloud.command("c1", "get_gpio_state"))["data"]
    assert state == {
        "available": False,
        "message": "The pins are turned off on this device (EDGEFLOW_AGENT_BOARD=none).",
    }
    assert "turned off" in (await cloud.command("c2", "set_gpio", {"pin": 1, "value": 1}))["error"]
