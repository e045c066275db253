"""An agent against the cloud double: provision, connect, sync, answer, measure, come back."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import StartAgent, until
from edgeflow_agent import VERSION
from edgeflow_agent.shadow.plan import ERRORS


async def test_a_code_makes_a_device_that_comes_alive(cloud: CloudDouble, start_agent: StartAgent) -> None:
    cloud.codes["PROV-A1B2-C3D4"] = None
    agent = await start_agent(provisioning_code="PROV-A1B2-C3D4")
    await until(lambda: cloud.samples >= 3)

    _, _, body = next(request for request in cloud.requests if request[1].endswith("/provision"))
    assert body["hardware_info"]["cpu_cores"] >= 1
    assert body["hardware_info"]["ram_mb"] > 64
    assert body["network_info"]["hostname"]
    assert cloud.line.hello["device_id"] == "dev_1"
    assert cloud.line.hello["version"] == VERSION
    assert cloud.line.hello["capabilities"] == ["telemetry", "shadow", "events", "logs"]
    assert cloud.line.hello["boot_id"] == agent.boot_id
    reported = cloud.shadow("dev_1")["reported"]
    assert reported["online"] is True
    assert reported["agent_version"] == VERSION
    assert reported["hardware"]["arch"]
    assert reported["telemetry"] == {"dropped_samples": 0}


async def test_a_stop_says_goodbye_with_1000_and_forgets_nothing(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.codes["PROV-X"] = None
    agent = await start_agent(provisioning_code="PROV-X")
    await until(lambda: agent.tunnel.connected)
    agent.stop()
    await until(lambda: cloud.line.close_code is not None)
    assert cloud.line.close_code == 1000
    await asyncio.sleep(0.1)

    again = await start_agent()
    await until(lambda: again.tunnel.connected)
    assert sum(path.endswith("/provision") for _, path, _ in cloud.requests) == 1
    assert again.boot_id != agent.boot_id


async def test_a_lost_provision_answer_is_asked_for_again_and_gives_the_same_device(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.codes["PROV-X"] = None
    cloud.drop_provision_answers = 2
    agent = await start_agent(provisioning_code="PROV-X")
    await until(lambda: agent.tunnel.connected)
    assert list(cloud.hardware) == ["dev_1"]
    assert cloud.line.hello["api_key"] == cloud.keys["dev_1"]


async def test_a_refused_code_stops_with_a_sentence_and_another_code_is_taken(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await start_agent(provisioning_code="PROV-WRONG")
    await until(lambda: agent.tunnel.status.status == "refused")
    assert "unknown, used or expired" in agent.tunnel.status.detail
    await asyncio.sleep(0.3)
    assert len(cloud.requests) == 1

    cloud.codes["PROV-RIGHT"] = None
    await agent.provision("PROV-RIGHT")
    await until(lambda: agent.tunnel.connected)


@pytest.mark.parametrize(
    "answer", [(503, {"error": "later"}), (201, {"device_id": 7}), (404, None), (429, {})]
)
async def test_an_answer_that_decides_nothing_is_asked_again(
    cloud: CloudDouble, start_agent: StartAgent, answer: tuple[int, object]
) -> None:
    cloud.codes["PROV-X"] = None
    cloud.answer_provision = answer
    agent = await start_agent(provisioning_code="PROV-X")
    await until(lambda: len(cloud.requests) >= 3)
    assert agent.tunnel.status.status in ("provisioning", "connecting")
    cloud.answer_provision = None
    await until(lambda: agent.tunnel.connected)


async def test_it_survives_a_restart_of_the_cloud_without_losing_a_sample(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: cloud.samples >= 2)
    await cloud.stop()
    await until(lambda: not agent.tunnel.connected)
    await asyncio.sleep(0.5)
    waiting = await agent.spool.waiting()
    assert waiting >= 5
    await cloud.start()
    await until(lambda: agent.tunnel.connected)
    await until(lambda: len(cloud.line.of_type("telemetry")) >= 3)
    sequences = [sequence for _, sequence in cloud.batches]
    assert sequences == sorted(sequences) == list(range(1, len(sequences) + 1))
    assert max(len(json.loads(body)) for body in cloud.batches.values()) <= 10
    assert not cloud.contradictions
    times = [sample["time"] for body in cloud.batches.values() for sample in json.loads(body)]
    assert times == sorted(set(times))


async def test_unacknowledged_batches_are_sent_again_as_they_were(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.hold_acks = True
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: len(cloud.batches) >= 4)
    assert len(cloud.batches) == 4  # The window.
    cloud.cut()
    await until(lambda: len(cloud.lines) == 2 and len(cloud.resent) >= 4)
    cloud.hold_acks = False  # The agent asks again after `answer` seconds, on the same line.
    await until(lambda: len(cloud.batches) >= 6)
    assert not cloud.contradictions
    await until(lambda: agent.spool.size < 4000)


async def test_a_batch_that_can_never_be_stored_is_dropped_and_counted(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.never_store = True
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.spool.dropped >= 2)
    cloud.never_store = False
    await until(lambda: len(cloud.batches) >= 2)
    await until(lambda: cloud.shadow("dev_1")["reported"]["telemetry"]["dropped_samples"] >= 2)


async def test_an_ack_for_what_was_never_sent_deletes_nothing(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.hold_acks = True
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: len(cloud.batches) == 4)
    before = await agent.spool.waiting()
    await cloud.line.send(type="ack", frame="telemetry", boot_id=agent.boot_id, sequence=10**9)
    await asyncio.sleep(0.1)
    assert await agent.spool.waiting() >= before


async def test_desired_is_done_reported_and_refused(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device(), metrics_interval=3.0)
    reported = lambda: cloud.shadow("dev_1")["reported"]  # noqa: E731
    await until(lambda: "online" in reported())
    await cloud.desire("dev_1", {"log_level": "debug", "metrics_interval_seconds": 1, "other": {"x": 1}})
    await until(
        lambda: reported().get("log_level") == "debug" and reported()["metrics_interval_seconds"] == 1
    )
    assert agent.collector.interval == 1
    assert cloud.document("dev_1")["delta"] == {"other": {"x": 1}}

    await cloud.desire("dev_1", {"log_level": "loud"})
    await until(lambda: "log_level" in reported().get(ERRORS, {}))
    await cloud.desire("dev_1", {"log_level": None, "metrics_interval_seconds": None})
    await until(lambda: reported()["log_level"] == "info" and not reported()[ERRORS])
    assert agent.collector.interval == 3.0


async def test_what_was_desired_holds_without_the_cloud(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.tunnel.connected)
    await cloud.desire("dev_1", {"metrics_interval_seconds": 2})
    await until(lambda: agent.collector.interval == 2)
    agent.stop()
    await until(lambda: cloud.line.close_code is not None)
    await asyncio.sleep(0.1)
    await cloud.stop()
    again = await start_agent(device_id="dev_1", api_key=cloud.keys["dev_1"])
    assert again.collector.interval == 2
    await cloud.start()


async def test_a_missed_push_is_found_by_the_resync(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.tunnel.connected and "online" in cloud.shadow("dev_1")["reported"])
    shadow = cloud.shadow("dev_1")
    shadow["desired"] = {"log_level": "warning"}
    shadow["version"] += 1
    await until(lambda: shadow["reported"]["log_level"] == "warning")


async def test_a_report_that_the_cloud_could_not_take_yet_is_said_again(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.busy_reports = 3
    await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: "online" in cloud.shadow("dev_1")["reported"])
    assert len(cloud.line.of_type("shadow_reported")) >= 4
    assert len(cloud.lines) == 1


async def test_without_capabilities_the_shadow_goes_over_rest_and_no_telemetry_is_sent(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    cloud.capabilities = []
    cloud.shadow("dev_1")["desired"] = {"log_level": "error"}
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: cloud.shadow("dev_1")["reported"].get("log_level") == "error")
    assert [(method, path) for method, path, _ in cloud.requests][:2] == [
        ("GET", "/api/v1/devices/dev_1/shadow"),
        ("PUT", "/api/v1/devices/dev_1/shadow"),
    ]
    # A push for such a client is the command; it is done, and reported over REST.
    await cloud.desire("dev_1", {"log_level": "info"})
    answer = await cloud.command("cmd_1", "update_desired", {"desired": {"log_level": "info"}})
    assert answer["status"] == "success"
    assert answer["data"]["delta"] == {}
    await until(lambda: agent.shadow.reported["log_level"] == "info")
    await until(lambda: any(body == {"reported": {"log_level": "info"}} for _, _, body in cloud.requests))
    assert cloud.line.of_type("telemetry") == []


async def test_the_link_is_dead_when_no_pong_comes(cloud: CloudDouble, start_agent: StartAgent) -> None:
    cloud.heartbeat = 0.1
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: len(cloud.lines) == 1 and len(cloud.line.of_type("ping")) >= 2)
    cloud.deaf = True
    await until(lambda: len(cloud.lines) >= 2)
    cloud.deaf = False
    await until(lambda: agent.tunnel.connected)


async def test_bad_credentials_are_said_and_tried_slowly(cloud: CloudDouble, start_agent: StartAgent) -> None:
    key = cloud.add_device()
    agent = await start_agent(device_id="dev_1", api_key="efk_wrong" + "x" * 32)
    await until(lambda: agent.tunnel.status.status == "refused")
    assert "does not accept this device's key" in agent.tunnel.status.detail
    assert "edgeflow-agent provision" in agent.tunnel.status.detail
    cloud.keys["dev_1"] = "efk_wrong" + "x" * 32
    await until(lambda: agent.tunnel.connected)
    assert key


async def test_retry_after_is_honoured(cloud: CloudDouble, start_agent: StartAgent) -> None:
    cloud.add_device()
    cloud.refuse = ({"error": "Busy.", "retry_after": 0.7}, 4429)
    loop = asyncio.get_running_loop()
    agent = await start_agent(device_id="dev_1", api_key=cloud.keys["dev_1"])
    await until(lambda: len(cloud.lines) == 1)
    refused_at = loop.time()
    cloud.refuse = None
    await until(lambda: agent.tunnel.connected)
    assert loop.time() - refused_at >= 0.65


async def test_drain_moves_to_a_new_line_and_works_until_then(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.tunnel.connected)
    await asyncio.sleep(0.1)
    first = cloud.line
    await first.send(type="drain", within=0.5)
    assert (await cloud.command("cmd_d", "health_check"))["status"] == "success"
    await until(lambda: len(cloud.lines) == 2 and agent.tunnel.connected)
    assert first.close_code == 1000


async def test_a_set_number_of_reconnects_is_obeyed(cloud: CloudDouble, start_agent: StartAgent) -> None:
    cloud.refuse = ({"error": "No."}, 1011)
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device(), max_reconnect_attempts=2)
    await until(lambda: agent.tunnel.status.status == "gave_up")
    assert len(cloud.lines) == 3
    cloud.refuse = None
    agent.connect()
    await until(lambda: agent.tunnel.connected)


async def test_frames_that_are_not_understood_harm_nothing(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.tunnel.connected)
    socket = cloud.line.socket
    for text in (
        "",
        "nonsense",
        "[]",
        '{"type":"from_the_future"}',
        '{"type":"command","payload":7}',
        "[" * 5000,
    ):
        await socket.send(text)
    await socket.send(b"\x00\xff")
    await cloud.line.send(type="error", error="A complaint.")
    await cloud.line.send(type="shadow_accepted", id="nobody", version=1)
    assert (await cloud.command("cmd_x", "health_check"))["data"]["version"] == VERSION
    assert len(cloud.lines) == 1
