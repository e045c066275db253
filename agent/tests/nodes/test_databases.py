"""The database types against a real SQLite, PostgreSQL and Valkey."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.tests.engine.conftest import Bench
from agent.tests.nodes.conftest import free_port
from edgeflow_agent.engine import FlowRefused


def caught(bench: Bench, node: str = "e") -> str:
    return str(bench.seen(node)[0]["error"])


async def fails(bench: Bench, kind: str, config: dict[str, Any], message: Any) -> str:
    if bench.engine.flows():
        await bench.engine.remove("f")
    nodes = [
        {"id": "n", "type": kind, "config": config},
        {"id": "c", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    await bench.run(nodes, [("c", "e")])
    bench.send("n", message)
    await bench.until(lambda: bench.seen("e"))
    return caught(bench)


async def test_sqlite(bench: Bench, tmp_path: Path) -> None:
    file = str(tmp_path / "plant.db")
    made = await bench.through(
        "sqlite", {"database": file, "query": "create table t (id integer primary key, v text)"}, 1
    )
    assert made[0][0]["payload"] == {"rowsAffected": 0, "lastInsertId": 0}
    config = {"database": file, "query": "insert into t (v) values (?)", "params": ["payload.name"]}
    sent = await bench.through(
        "sqlite", config, {"payload": {"name": "a'; drop table t; --"}}, {"payload": {"name": [1]}}
    )
    assert [message["payload"] for message in sent[0]] == [
        {"rowsAffected": 1, "lastInsertId": 1},
        {"rowsAffected": 1, "lastInsertId": 2},
    ]
    sent = await bench.through(
        "sqlite", {"database": file}, {"payload": {"id": 1}, "query": "select * from t where id <= :id"}
    )
    assert sent[0][0]["payload"] == [{"id": 1, "v": "a'; drop table t; --"}]
    sent = await bench.through("sqlite", {"database": file, "query": "select v from t where id = 2"}, 1)
    assert sent[0][0]["payload"] == [{"v": "[1]"}]
    assert "SQLite says: no such table" in await fails(
        bench, "sqlite", {"database": file, "query": "select * from x"}, 1
    )
    await bench.engine.remove("f")
    with pytest.raises(FlowRefused, match="cannot be opened"):
        await bench.run(
            [{"id": "n", "type": "sqlite", "config": {"database": str(tmp_path / "no" / "db")}}], []
        )


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, str]]:
    """The servers that the cloud brings along, here only as peers."""
    from edgeflow_cloud.infra.embedded import Credentials, Parts
    from edgeflow_cloud.infra.secrets import Secrets

    with tempfile.TemporaryDirectory(prefix="edgeflow-peers-") as folder:
        secrets = Secrets(Path(folder) / "secrets")
        parts = Parts(Path(folder), lambda: Credentials.of(secrets), ("database", "valkey"), durable=False)
        try:
            parts.start_all()
            yield {"postgresql": str(parts.database_url), "redis": str(parts.valkey_url)}
        finally:
            parts.stop_all()


async def test_postgresql(bench: Bench, parts: dict[str, str]) -> None:
    url = parts["postgresql"]
    await bench.through(
        "postgresql",
        {
            "url": url,
            "query": "create table readings (id serial primary key, at timestamptz, celsius float8, more jsonb)",
        },
        1,
    )
    config = {
        "url": url,
        "query": "insert into readings (at, celsius, more) values (:at, :celsius, :more)",
    }
    sent = await bench.through(
        "postgresql",
        config,
        {"payload": {"at": "2026-11-24T10:00:00Z", "celsius": "21.5", "more": {"a": [1, "'; drop"]}}},
    )
    assert sent[0][0]["payload"] == {"rowsAffected": 1, "command": "INSERT 0 1"}
    select = {
        "url": url,
        "query": "select at, celsius, more from readings where id = $1",
        "params": ["payload.id"],
    }
    sent = await bench.through("postgresql", select, {"payload": {"id": 1}})
    assert sent[0][0]["payload"] == [
        {"at": "2026-11-24 10:00:00+00:00", "celsius": 21.5, "more": '{"a": [1, "\'; drop"]}'}
    ]
    assert "does not exist" in await fails(
        bench, "postgresql", {"url": url, "query": "select * from nothing"}, 1
    )
    away = {"host": "127.0.0.1", "port": free_port(), "query": "select 1"}
    assert "PostgreSQL says" in await fails(bench, "postgresql", away, 1)


async def test_redis(bench: Bench, parts: dict[str, str]) -> None:
    url = parts["redis"]
    sent = await bench.through("redis", {"url": url, "command": "SET", "key": "t"}, "21.5 warm")
    assert sent[0][0]["payload"] == "OK"
    sent = await bench.through("redis", {"url": url, "command": "GET t"}, "go")
    assert sent[0][0]["payload"] == "21.5 warm"
    sent = await bench.through("redis", {"url": url, "command": "LPUSH"}, {"payload": ["list", 1, 2]})
    assert sent[0][0]["payload"] == 2
    sent = await bench.through("redis", {"url": url, "command": "LRANGE list 0 -1"}, {"payload": None})
    assert sent[0][0]["payload"] == ["2", "1"]
    assert "Redis says" in await fails(
        bench, "redis", {"url": url, "command": "INCR list"}, {"payload": None}
    )


async def test_redis_hears_channels(bench: Bench, parts: dict[str, str]) -> None:
    url = parts["redis"]
    await bench.run(
        [
            {"id": "in", "type": "redis", "config": {"url": url, "channels": ["plant.*"]}},
            {"id": "out", "type": "redis", "config": {"url": url, "command": "PUBLISH plant.hall"}},
            {"id": "t", "type": "tap"},
            {"id": "o", "type": "tap"},
        ],
        [("in", "t"), ("out", "o")],
    )
    for _ in range(100):
        bench.send("out", "warm")
        await asyncio.sleep(0.05)
        if bench.seen("t"):
            break
    assert bench.seen("t")[0]["payload"] == "warm"
    assert bench.seen("t")[0]["topic"] == "plant.hall"
