"""The real program in its own process: kill -9 while it works, signals, exit codes, the command line, its
size.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import until

HERE = Path(__file__).parent
RSS_LIMIT = 48_000_000


class Program:
    """Starts `edgeflow-agent` with one folder and one cloud."""

    def __init__(self, cloud: CloudDouble, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("EDGEFLOW_")
        } | {
            "EDGEFLOW_SAAS_URL": cloud.address,
            "EDGEFLOW_SAAS_TLS": "false",
            "EDGEFLOW_AGENT_DIR": str(folder),
            "EDGEFLOW_SERVER_PORT": str(port),
            "EDGEFLOW_AGENT_METRICS_INTERVAL": "1s",
        }
        self.processes: list[asyncio.subprocess.Process] = []

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(arguments or ("-m", "edgeflow_agent", "run")),
            env=self.environment | environment,
            cwd=HERE.parent.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    async def finish(self, *arguments: str, **environment: str) -> tuple[int | None, str]:
        process = await self.start("-m", "edgeflow_agent", *arguments, **environment)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        return process.returncode, (out or err).decode()

    async def close(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.fixture
async def program(cloud: CloudDouble, tmp_path: Path) -> AsyncIterator[Program]:
    made = Program(cloud, tmp_path / "state")
    yield made
    await made.close()


async def test_killed_between_the_answer_and_the_fsync_it_gets_its_device_back(
    cloud: CloudDouble, program: Program
) -> None:
    cloud.codes["PROV-X"] = None
    first = await program.start(str(HERE / "killed_at_fsync.py"), EDGEFLOW_PROVISIONING_CODE="PROV-X")
    assert await asyncio.wait_for(first.wait(), 20) == -signal.SIGKILL
    assert list(cloud.hardware) == ["dev_1"]
    old_key = cloud.keys["dev_1"]
    await program.start(EDGEFLOW_PROVISIONING_CODE="PROV-X")
    await until(lambda: cloud.lines, 15)
    assert cloud.line.hello["device_id"] == "dev_1"
    assert cloud.line.hello["api_key"] == cloud.keys["dev_1"] != old_key
    assert list(cloud.hardware) == ["dev_1"]


async def test_kill_9_while_data_flows_loses_nothing_and_stores_nothing_twice(
    cloud: CloudDouble, program: Program
) -> None:
    cloud.add_device()
    who = {"EDGEFLOW_DEVICE_ID": "dev_1", "EDGEFLOW_API_KEY": cloud.keys["dev_1"]}
    dice = Random(7)
    spooled: set[str] = set()
    for round_number in range(4):
        cloud.hold_acks = round_number % 2 == 0  # Half of the time what was stored was never acknowledged.
        lines = len(cloud.lines)
        process = await program.start(**who)
        await until(lambda lines=lines: len(cloud.lines) > lines and cloud.line.of_type("telemetry"), 15)
        await asyncio.sleep(dice.uniform(0.0, 1.2))
        process.kill()
        await process.wait()
        spooled |= times_on_disk(Path(program.environment["EDGEFLOW_AGENT_DIR"]))
    cloud.hold_acks = False
    await program.start(**who)
    await until(lambda: spooled <= stored_times(cloud), 15)
    everything = [sample["time"] for body in cloud.batches.values() for sample in json.loads(body)]
    assert len(everything) == len(set(everything))
    assert cloud.contradictions == []
    assert cloud.resent


async def test_a_command_runs_at_most_once_over_a_kill_9(cloud: CloudDouble, program: Program) -> None:
    cloud.add_device()
    who = {"EDGEFLOW_DEVICE_ID": "dev_1", "EDGEFLOW_API_KEY": cloud.keys["dev_1"]}
    process = await program.start(**who)
    await until(lambda: cloud.lines, 15)
    await until(lambda: "boot_id" in cloud.shadow("dev_1")["reported"])
    first = await cloud.command("cmd_1", "get_shadow")
    process.kill()
    await process.wait()
    await program.start(**who)
    await until(lambda: len(cloud.lines) == 2, 15)
    again = await cloud.command("cmd_1", "get_shadow")
    assert again == first  # The answer of the boot before: it was not run again.
    other = await cloud.command("cmd_2", "get_shadow")
    assert other["data"]["reported"]["boot_id"] != first["data"]["reported"]["boot_id"]


async def test_sigterm_ends_it_well_and_status_tells(cloud: CloudDouble, program: Program) -> None:
    assert (await program.finish("status")) == (1, "Not provisioned, and the agent does not run.\n")
    cloud.codes |= {"PROV-A": None, "PROV-B": None}
    code, text = await program.finish("provision", "PROV-A")
    assert (code, text) == (0, "Provisioned as dev_1. Start the agent with: edgeflow-agent run\n")
    process = await program.start()
    await until(lambda: cloud.lines, 15)
    code, text = await program.finish("status")
    assert code == 0
    assert text.startswith("dev_1: online")
    assert (await program.finish("provision", "PROV-NO"))[0] == 1
    code, text = await program.finish("provision", "PROV-B")
    assert (code, text) == (0, "Provisioned as dev_2. The running agent connects now.\n")
    await until(lambda: cloud.line.hello["device_id"] == "dev_2")
    code, text = await program.finish("run", EDGEFLOW_SERVER_PORT="0")
    assert code == 1
    assert f"Another edgeflow-agent (process {process.pid})" in text
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 5) == 0
    assert cloud.line.close_code == 1000
    code, text = await program.finish("run", EDGEFLOW_SAAS_TLS="perhaps")
    assert (code, text) == (2, "edgeflow-agent: EDGEFLOW_SAAS_TLS is 'perhaps'. Write true or false.\n")


async def test_tampered_credentials_are_said_and_the_code_brings_the_device_back(
    cloud: CloudDouble, program: Program
) -> None:
    cloud.codes["PROV-A"] = None
    await program.finish("provision", "PROV-A")
    store = Path(program.environment["EDGEFLOW_AGENT_DIR"]) / "credentials"
    store.write_bytes(store.read_bytes().replace(b'"rounds":1', b'"rounds":2'))
    code, text = await program.finish("status")
    assert code == 1
    assert "somebody changed the file" in text
    await program.start(EDGEFLOW_PROVISIONING_CODE="PROV-A")
    await until(lambda: cloud.lines, 15)
    assert cloud.line.hello["device_id"] == "dev_1"
    assert store.with_name("credentials.broken").exists()


async def test_over_tls_it_stays_small(program: Program, tmp_path: Path) -> None:
    """Provisioned, connected over wss, measuring, after fifty commands: resident at most 48 MB."""
    authority = make_certificate(tmp_path)
    secure = CloudDouble(tls=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    assert secure.tls is not None
    secure.tls.load_cert_chain(authority)
    await secure.start()
    secure.codes["PROV-A"] = None
    over_tls = {
        "EDGEFLOW_SAAS_TLS": "true",
        "EDGEFLOW_SAAS_URL": f"localhost:{secure.port}",
        # As on a device, where pip compiled everything: a process that compiles its modules itself keeps 2 MB of that.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"),
    }

    code, text = await program.finish("provision", "PROV-A", **over_tls)
    assert code == 1
    assert "is not trusted" in text
    assert "SSL_CERT_FILE" in text

    process = await program.start(
        EDGEFLOW_PROVISIONING_CODE="PROV-A", SSL_CERT_FILE=str(authority), **over_tls
    )
    await until(lambda: len(secure.batches) >= 3, 20)
    for number in range(50):
        await secure.command(f"cmd_{number}", "get_system_metrics")
    await asyncio.sleep(1.0)
    resident = psutil.Process(process.pid).memory_info().rss
    print(f"resident: {resident / 1e6:.1f} MB")
    assert resident <= RSS_LIMIT
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
    await secure.stop()


def make_certificate(folder: Path) -> Path:
    """A certificate for localhost that is its own authority, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def times_on_disk(folder: Path) -> set[str]:
    """Every sample that is in the agent's database, as another process finds it after the kill."""
    with sqlite3.connect(f"file:{folder / 'agent.db'}?mode=ro", uri=True) as db:
        rows = db.execute(
            "select body from batches union all select '[' || body || ']' from samples"
        ).fetchall()
    db.close()
    return {sample["time"] for (body,) in rows for sample in json.loads(body)}


def stored_times(cloud: CloudDouble) -> set[str]:
    return {sample["time"] for body in cloud.batches.values() for sample in json.loads(body)}
