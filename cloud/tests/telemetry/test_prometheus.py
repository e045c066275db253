"""The scrapes, read by Prometheus' own parser."""

import asyncio
import importlib
import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from cloud.tests.conftest import Caller
from cloud.tests.telemetry.conftest import Peer, batch, sample
from edgeflow_cloud.app.platform_metrics import show_metrics
from edgeflow_cloud.infra.observability.metrics import render_metrics
from edgeflow_cloud.infra.secret import Secret
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.telemetry import latest
from edgeflow_cloud.telemetry.prometheus.rendering import FAMILIES, Newest, render

GOLDEN = Path(__file__).with_name("metrics.golden.txt")


def read(text: str) -> dict[tuple[str, ...], float]:
    """(family, label values…) -> value."""
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


async def test_an_organization_scrapes_its_own_devices(
    client: Caller, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest, "_EVERY", 0.02)
    # The scrape leaves out what is five minutes old; the others' NOW is that of the run's beginning.
    fresh = msgspec.structs.replace(sample(0, 33.0, custom={"boiler.bar": 2.5}), time=datetime.now(UTC))
    await peer.send(batch(1, fresh))
    name = ids.encode(ids.DEVICE, peer.device_id)
    async with asyncio.timeout(5):
        while True:
            answer = await client("owner").get("/prometheus")
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            found = read(answer.text)
            if len(found) > 1:
                break
            await asyncio.sleep(0.05)
    assert found["edgeflow_device_cpu_percent", "press 4", name] == 33.0
    assert found["edgeflow_device_custom", "press 4", name, "boiler.bar"] == 2.5
    assert found["edgeflow_series_left_out",] == 0
    assert read((await client("stranger").get("/prometheus")).text) == {("edgeflow_series_left_out",): 0}
    assert (await client("").get("/prometheus")).status_code == 401


def test_series_are_capped_and_the_rest_is_counted() -> None:
    made = [Newest(ids.new(), "press", {"cpu_percent": 1.0, "load_1": 2.0}, {"a": 1.0}) for _ in range(10)]
    found = read(render(made, 30, 7).decode())
    assert found.pop(("edgeflow_series_left_out",)) == 23
    assert len(found) == 7


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "two\nlines", 'größe {a="b"} 1'])
def test_a_name_cannot_break_the_lines(name: str) -> None:
    made = Newest(ids.new(), name, {"cpu_percent": 1.0}, {"a": 2.0})
    found = read(render([made], 2).decode())
    wire = ids.encode(ids.DEVICE, made.device_id)
    assert found["edgeflow_device_cpu_percent", name, wire] == 1.0
    assert found["edgeflow_device_custom", name, wire, "a"] == 2.0


def test_names_and_words_are_those_of_the_golden_file() -> None:
    """Dashboards and alerts of others hold these names. EDGEFLOW_GOLDEN=write writes the file anew, for review."""
    importlib.import_module("edgeflow_cloud.app.cloud")
    every = Newest(ids.new(), "press", dict.fromkeys(FAMILIES, 1.0), {"a": 1.0})
    told = [
        line
        for title, text in (("platform", render_metrics()), ("organization", render([every], 7)))
        for line in (
            f"## {title}",
            *sorted(set(text.decode().splitlines()), key=lambda line: (line.split(" ")[2:3], line)),
        )
        if line.startswith("#") and "_created" not in line
    ]
    if os.environ.get("EDGEFLOW_GOLDEN") == "write":
        GOLDEN.write_text("\n".join(told) + "\n", encoding="utf-8")
    assert told == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("peer_address", "headers", "token", "status"),
    [
        ("127.0.0.1", {}, None, 200),
        ("::1", {}, None, 200),
        ("127.0.0.1", {"X-Forwarded-For": "198.51.100.7"}, None, 401),  # a proxy on this machine
        ("198.51.100.7", {}, None, 401),
        ("198.51.100.7", {"Authorization": "Bearer "}, None, 401),
        ("198.51.100.7", {"Authorization": "Bearer wrong"}, "right", 401),
        ("198.51.100.7", {"Authorization": "Bearer right"}, "right", 200),
    ],
)
def test_the_platform_is_scraped_from_itself_or_with_the_token(
    peer_address: str, headers: dict[str, str], token: str | None, status: int
) -> None:
    site = Starlette(routes=[Route("/metrics", show_metrics)])
    settings = SimpleNamespace(metrics_token=Secret(token) if token else None)
    site.state.context = SimpleNamespace(settings=settings)
    answer = TestClient(site, client=(peer_address, 1)).get("/metrics", headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert ("edgeflow_telemetry_samples_total",) in read(answer.text)
