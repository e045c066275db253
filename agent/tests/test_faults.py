"""A disk that is full or read-only, a clock ten years off: said, and survived by a real agent."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import StartAgent, until
from agent.tests.test_api import call
from agent.tests.test_flows import flow, reported
from agent.tests.test_process import Program

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def may_mount() -> bool:
    """Whether this machine lets a test have mounts of its own."""
    try:
        tried = subprocess.run(
            [*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


mounts = pytest.mark.skipif(not may_mount(), reason="this machine gives no mount namespace")


@pytest.fixture
async def program(cloud: CloudDouble, tmp_path: Path) -> AsyncIterator[Program]:
    cloud.signers = [Ed25519PrivateKey.generate()]
    cloud.codes["PROV-A"] = None
    made = Program(cloud, tmp_path / "state")
    made.environment["EDGEFLOW_PROVISIONING_CODE"] = "PROV-A"
    made.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    yield made
    await made.close()


async def start(program: Program, mount: str) -> asyncio.subprocess.Process:
    """The agent, in a mount namespace of its own that `mount` arranged."""
    process = await asyncio.create_subprocess_exec(
        *NAMESPACE, "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable,
        "-m", "edgeflow_agent", "run",
        env=program.environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    program.processes.append(process)
    return process


@mounts
async def test_a_full_disk_is_said_and_what_runs_goes_on(
    cloud: CloudDouble, program: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    process = await start(program, f"mount -t tmpfs -o size=3m none {folder}")
    await until(lambda: cloud.lines, 20)
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: reported(cloud).get("status") == "running", 30)
    filler = Path(f"/proc/{process.pid}/root{folder}/filler")
    fill(filler)
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 2, flow("new"))}})
    await until(lambda: "disk is full" in reported(cloud).get("error", ""), 20)
    assert reported(cloud)["version"] == 1
    refused = {"error": ""}
    for number in range(200):  # The journal has a page or two left.
        refused = await cloud.command(f"c{number}", "health_check")
        if refused["status"] == "error":
            break
        fill(filler)
    assert "could not be recorded first. The disk is full" in refused["error"]
    port = int(program.environment["EDGEFLOW_SERVER_PORT"])
    assert (await call(port, "GET", "/api/v1/flows"))[1]["flows"][0]["status"] == "running"
    filler.unlink()
    await until(lambda: reported(cloud).get("version") == 2, 30)
    assert (await cloud.command("after", "health_check"))["status"] == "success"
    assert process.returncode is None


def fill(path: Path) -> None:
    """Until not a byte more fits."""
    with path.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


@mounts
async def test_a_read_only_disk_runs_its_flows_and_refuses_commands(
    cloud: CloudDouble, program: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    process = await start(program, "true")
    await until(lambda: cloud.lines, 20)
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: cloud.events("flow_deployed"), 30)
    process.kill()
    await process.wait()

    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    stored = len(cloud.batches)
    readonly = await start(program, f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}")
    await until(lambda: len(cloud.lines) == 2, 20)
    port = int(program.environment["EDGEFLOW_SERVER_PORT"])
    flows = (await call(port, "GET", "/api/v1/flows"))[1]["flows"]
    assert [(each["id"], each["status"], each["version"]) for each in flows] == [("f", "running", 1)]
    answer = await cloud.command("c1", "health_check")
    assert "could not be recorded first" in answer["error"]
    assert "read-only" in answer["error"]
    await until(lambda: len(cloud.batches) > stored, 20)  # What is measured is still sent.
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 2, flow("new"))}})
    await until(lambda: "read-only" in reported(cloud).get("error", ""), 20)
    readonly.terminate()
    _, said = await asyncio.wait_for(readonly.communicate(), 20)
    assert b"read-only" in said
    assert readonly.returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("years", [-10, 10])
async def test_a_clock_ten_years_off_is_said_and_nothing_depends_on_it(
    cloud: CloudDouble, start_agent: StartAgent, years: int
) -> None:
    cloud.signers = [Ed25519PrivateKey.generate()]
    cloud.codes["PROV-A"] = None
    cloud.server_time = datetime.now(UTC).isoformat()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=365 * years), tick=True):
        agent = await start_agent(provisioning_code="PROV-A")
        await until(lambda: agent.tunnel.connected)
        await until(lambda: cloud.events("clock_off"))
        (event,) = cloud.events("clock_off")
        assert f"10 years {'ahead of' if years > 0 else 'behind'} the cloud's" in event["message"]
        assert abs(event["data"]["offset_seconds"]) > 9 * 365 * 86400
        await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
        await until(lambda: reported(cloud).get("status") == "running")
        assert (await cloud.command("c1", "health_check"))["status"] == "success"
        await until(lambda: cloud.batches)
        agent.stop()
        await until(lambda: cloud.line.close_code is not None)
