"""Facts about the machine: read, and the same at every start, for a re-claim is recognised by them."""

from __future__ import annotations

from edgeflow_agent.provisioning import hardware_facts, network_facts
from edgeflow_agent.provisioning.facts import default_interface
from edgeflow_agent.telemetry import CpuMeter, Readings
from edgeflow_agent.telemetry.readings import spell_duration

ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\n"
    "eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\n"
    "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"
)


def test_the_default_route_with_the_lowest_metric_wins() -> None:
    assert default_interface(ROUTES) == "eth0"
    assert default_interface(ROUTES.splitlines()[0]) == ""


def test_the_same_machine_says_the_same() -> None:
    assert hardware_facts() == hardware_facts()
    assert network_facts() == network_facts()
    assert network_facts("127.0.0.1", 8000)["mac_address"] == network_facts("192.0.2.7", 443)["mac_address"]


def test_no_text_ends_in_nul_and_nothing_is_empty() -> None:
    for value in (hardware_facts() | network_facts("localhost", 1)).values():
        assert value not in ("", None)
        assert "\0" not in str(value)


def test_a_sample_is_plausible() -> None:
    sample = Readings().sample()
    assert sample.memory_total_bytes is not None
    assert sample.memory_used_bytes is not None
    assert 0 < sample.memory_used_bytes < sample.memory_total_bytes
    assert sample.uptime_seconds is not None
    assert any(disk.mount == "/" for disk in sample.disks)
    assert all(network.interface != "lo" for network in sample.networks)


def test_a_busy_processor_is_seen() -> None:
    meter = CpuMeter()
    meter.percent()
    total = 0
    for number in range(6_000_000):
        total += number
    cores = meter.percent()
    assert total
    assert max(cores) > 20
    assert all(0 <= percent <= 100 for percent in cores)


def test_durations_are_spelled_as_published() -> None:
    assert [spell_duration(seconds) for seconds in (0, 59.9, 61, 3723)] == ["0s", "59s", "1m1s", "1h2m3s"]
