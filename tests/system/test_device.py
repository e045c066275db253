"""A real agent against a real cloud: the life of a device, and both ends killed while data flows."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx2 as httpx

from tests.system.product import Cloud, eventually, make_agent


def device_of(owner: httpx.Client, name: str) -> dict[str, Any] | None:
    """The registry's entry of that name, or None."""
    found = owner.get("/devices", params={"search": name}).json()["items"]
    return found[0] if found else None


def is_online(owner: httpx.Client, name: str) -> bool:
    return (device_of(owner, name) or {}).get("status") == "online"


def test_a_device_arrives_answers_is_configured_and_is_measured(cloud: Cloud, tmp_path: Path) -> None:
    owner = cloud.owner()
    agent = make_agent(cloud, tmp_path / "agent", code=cloud.code("Kiln"))
    agent.start()
    eventually(lambda: is_online(owner, "Kiln"), within=20, what="the agent is online")
    device = device_of(owner, "Kiln")
    assert device is not None
    path = f"/devices/{device['device_id']}"

    answer = owner.post(f"{path}/commands", json={"action": "get_system_metrics"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "done"
    assert answer.json()["result"]["memory"]["total_bytes"] > 0
    refused = owner.post(
        f"{path}/commands", json={"action": "start_flow", "payload": {"flow_id": "f"}}
    ).json()
    assert refused["status"] == "failed"
    assert refused["error"]

    changed = owner.put(f"{path}/shadow", json={"desired": {"metrics_interval_seconds": 1}})
    assert changed.status_code == 200, changed.text
    eventually(
        lambda: owner.get(f"{path}/shadow").json()["delta"] == {},
        within=10,
        what="the agent does and reports what is desired",
    )
    shadow = owner.get(f"{path}/shadow").json()
    assert shadow["reported"]["metrics_interval_seconds"] == 1
    conflict = owner.put(f"{path}/shadow", json={"desired": {"a": 1}, "version": shadow["version"] - 1})
    assert conflict.status_code == 409

    def measured() -> bool:
        metrics = owner.get(f"{path}/metrics", params={"metric": "cpu_percent,memory_percent"}).json()[
            "metrics"
        ]
        return any(value is not None for value in metrics["memory_percent"])

    eventually(measured, within=30, what="measurements are stored")
    assert agent.end(signal.SIGTERM) == 0
    eventually(lambda: not is_online(owner, "Kiln"), within=3, what="its departure is seen")
    away = owner.post(f"{path}/commands", json={"action": "health_check"})
    assert (away.status_code, away.json()["code"]) == (409, "device_offline")
    kept = owner.post(f"{path}/commands", params={"wait": 0}, json={"action": "health_check", "ttl": 60})
    assert kept.status_code == 202, kept.text
    agent.start()
    eventually(
        lambda: owner.get(f"/commands/{kept.json()['id']}").json()["status"] == "done",
        within=20,
        what="the kept command is done on its return",
    )
    assert agent.end(signal.SIGTERM) == 0


def test_agent_and_cloud_are_killed_while_data_flows(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    cloud.up()
    agent = make_agent(
        cloud, cloud.folder / "agent", code=cloud.code("Press"), EDGEFLOW_AGENT_METRICS_INTERVAL="1s"
    )
    agent.start()
    owner = cloud.owner()
    eventually(lambda: is_online(owner, "Press"), within=20, what="the agent is online")
    eventually(lambda: len(stored(cloud)) >= 10, within=30, what="samples are stored")

    for _ in range(2):
        assert agent.process is not None
        os.kill(agent.process.pid, signal.SIGKILL)
        agent.process.wait(5)
        agent.start()
        time.sleep(3)
    before = stored(cloud)
    cloud.kill_everything()
    time.sleep(2)
    cloud.up()
    after = stored(cloud)
    assert set(before) <= set(after), "what was stored is still there"
    grown = len(after)
    eventually(lambda: len(stored(cloud)) >= grown + 10, within=45, what="the agent came back by itself")

    assert agent.end(signal.SIGTERM) == 0
    rows = stored(cloud)
    assert len(rows) == len(set(rows)), "nothing is stored twice"
    times = [at for _, at in rows]
    assert len(times) == len(set(times)), "no sample has two rows"


def stored(cloud: Cloud) -> list[tuple[str, float]]:
    """Every stored sample as (device id, the device's time), read past the product."""

    async def read() -> list[tuple[str, float]]:
        password = (cloud.data / "secrets" / "database_password").read_text().strip()
        connection = await asyncpg.connect(
            host=str(cloud.data / "run"), user="edgeflow", password=password, database="edgeflow"
        )
        try:
            rows = await connection.fetch(
                "select device_id::text, extract(epoch from time) from system_samples"
            )
            return [(row[0], float(row[1])) for row in rows]
        finally:
            await connection.close()

    return asyncio.run(read())
