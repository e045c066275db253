"""Commands: the published answers, honest refusals, and at most once per id."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import StartAgent, until
from edgeflow_agent import VERSION
from edgeflow_agent.commands import CommandError, Commands, Journal
from edgeflow_agent.link import LinkDown
from edgeflow_agent.state import Database, StateFolder
from edgeflow_protocol.frames import Command, Response


async def test_health_and_metrics_have_the_published_shape(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.tunnel.connected)
    health = (await cloud.command("cmd_1", "health_check"))["data"]
    assert health["status"] == "healthy"
    assert health["version"] == VERSION
    assert isinstance(health["uptime"], float)

    metrics = (await cloud.command("cmd_2", "get_system_metrics"))["data"]
    names = "hostname os arch board_model uptime temperature cpu memory swap load_avg network"
    assert set(metrics) == set(names.split())
    assert set(metrics["cpu"]) == {"usage_percent"}
    assert set(metrics["memory"]) == {"total_bytes", "used_bytes", "free_bytes", "available_bytes", "percent"}
    assert set(metrics["load_avg"]) == {"1min", "5min", "15min"}
    assert set(metrics["network"]) == {"rx_bytes", "tx_bytes"}
    assert metrics["memory"]["total_bytes"] > 64 * 1024 * 1024


async def test_the_shadow_is_answered_and_desired_updated(
    cloud: CloudDouble, start_agent: StartAgent
) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: "online" in cloud.shadow("dev_1")["reported"])
    document = (await cloud.command("cmd_1", "get_shadow"))["data"]
    assert document["device_id"] == "dev_1"
    assert document["reported"]["agent_version"] == VERSION
    assert set(document) == {"device_id", "version", "desired", "reported", "delta", "metadata", "updated_at"}
    assert all(isinstance(at, str) for at in document["metadata"]["reported"].values())

    change = {"log_level": "warning", "unknown": 1}
    cloud.shadow("dev_1")["desired"] = change
    answer = await cloud.command("cmd_2", "update_desired", {"desired": change})
    assert answer["data"] == {"delta": {"unknown": 1}}
    assert agent.shadow.reported["log_level"] == "warning"
    await until(lambda: cloud.shadow("dev_1")["reported"]["log_level"] == "warning")

    bad = await cloud.command("cmd_3", "update_desired", {"desired": "x"})
    assert bad["status"] == "error"
    assert "`desired`" in bad["error"]
    deep: dict[str, object] = {}
    for _ in range(12):
        deep = {"x": deep}
    assert "deeper than 8" in (await cloud.command("cmd_4", "update_desired", {"desired": deep}))["error"]


async def test_an_action_that_nobody_knows_is_said(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device())
    await until(lambda: agent.tunnel.connected)
    assert "does not know the action" in (await cloud.command("cmd_2", "make_coffee"))["error"]
    for action in ("get_flow", "start_flow", "stop_flow", "update_flow", "delete_flow"):
        missing = await cloud.command(f"cmd_{action}", action, {"flow_id": "f"})
        assert "There is no flow f" in missing["error"]
        assert "needs `flow_id`" in (await cloud.command(f"cmd_{action}_2", action))["error"]


class Bench:
    """Commands on a real journal, with verbs that count and a line that can be down."""

    def __init__(self, folder: Path) -> None:
        self.state = StateFolder.open(folder)
        self.database = Database.open(self.state)
        self.sent: list[Response] = []
        self.runs = 0
        self.down = False
        self.gate = asyncio.Event()
        self.commands = Commands(
            Journal(self.database),
            {"count": self.count, "wait": self.wait, "fail": self.fail, "huge": self.huge},
            self.send,
            longest=0.5,
        )
        self.task = asyncio.create_task(self.commands.run())

    async def send(self, response: Response) -> None:
        if self.down:
            raise LinkDown
        self.sent.append(response)

    async def count(self, payload: Mapping[str, object]) -> object:
        self.runs += 1
        return {"runs": self.runs, "payload": dict(payload)}

    async def wait(self, payload: Mapping[str, object]) -> object:
        self.runs += 1
        await self.gate.wait()
        return "done"

    async def fail(self, payload: Mapping[str, object]) -> object:
        raise CommandError("It cannot be.") if payload else RuntimeError("a bug")

    async def huge(self, payload: Mapping[str, object]) -> object:
        return "x" * 300_000

    async def ask(self, command_id: str, action: str, **payload: object) -> Response:
        before = len(self.sent)
        self.commands.receive(Command(command_id, action, payload))
        await until(lambda: len(self.sent) > before)
        return self.sent[-1]

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.database.close()
        self.state.close()


async def test_a_duplicate_gets_the_recorded_answer_also_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = await bench.ask("c1", "count", x=1)
    assert await bench.ask("c1", "count", x=1) == first
    assert bench.runs == 1
    assert "used before, for count" in (await bench.ask("c1", "wait")).error
    await bench.close()
    bench = Bench(tmp_path)
    assert await bench.ask("c1", "count", x=1) == first
    assert bench.runs == 0
    await bench.close()


async def test_a_command_that_was_begun_but_not_finished_is_not_run_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.commands.receive(Command("c1", "wait"))
    await until(lambda: bench.runs == 1)
    await bench.close()
    bench = Bench(tmp_path)
    answer = await bench.ask("c1", "wait")
    assert answer.status == "error"
    assert "Whether it took effect is not known" in answer.error
    assert bench.runs == 0
    await bench.close()


async def test_a_duplicate_while_it_runs_waits_for_the_one_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(5):
        bench.commands.receive(Command("c1", "wait"))
    await until(lambda: bench.runs == 1)
    bench.gate.set()
    await until(lambda: bench.sent)
    await asyncio.sleep(0.05)
    assert [response.data for response in bench.sent] == ["done"]
    await bench.close()


async def test_an_answer_that_found_no_line_goes_over_the_next(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.down = True
    bench.commands.receive(Command("c1", "count"))
    await until(lambda: bench.runs == 1)
    await asyncio.sleep(0.1)
    await bench.commands.resume()
    assert bench.sent == []
    bench.down = False
    await bench.commands.resume()
    assert [response.id for response in bench.sent] == ["c1"]
    await bench.close()


async def test_failures_are_sentences(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert (await bench.ask("c1", "fail", x=1)).error == "It cannot be."
    assert "failed on the device: a bug" in (await bench.ask("c2", "fail")).error
    assert "longer than 0.5 s" in (await bench.ask("c3", "wait")).error
    assert "cannot be sent" in (await bench.ask("c4", "huge")).error
    await bench.close()


async def test_too_many_are_refused_without_being_begun(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for number in range(200):
        bench.commands.receive(Command(f"c{number}", "wait"))
    await until(lambda: len(bench.sent) >= 60)
    assert all("too many commands" in response.error for response in bench.sent)
    bench.gate.set()
    refused = bench.sent[0].id
    await until(lambda: sum(response.data == "done" for response in bench.sent) == 64)
    assert (await bench.ask(refused, "count")).status == "success"
    await bench.close()


async def test_a_disk_that_takes_nothing_runs_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.database.run(lambda db: db.execute("pragma query_only=1"))
    answer = await bench.ask("c1", "count")
    assert "could not be recorded first" in answer.error
    assert bench.runs == 0
    bench.database._connection.execute("pragma query_only=0")
    assert (await bench.ask("c1", "count")).status == "success"
    await bench.close()


async def test_the_journal_is_bounded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.database.run(
        lambda db: db.executemany(
            "insert into commands (id, action, received_at) values (?, 'count', '')",
            [(f"old{i}",) for i in range(3000)],
        )
    )
    await bench.ask("c1", "count")
    (kept,) = await bench.database.run(lambda db: db.execute("select count(*) from commands").fetchone())
    assert kept == 2000
    await bench.close()
