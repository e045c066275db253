"""`doctor`, `lock` and `unlock`, as somebody at the device calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import until
from agent.tests.test_flows import flow, reported
from agent.tests.test_process import Program


@pytest.fixture
async def program(cloud: CloudDouble, tmp_path: Path) -> AsyncIterator[Program]:
    cloud.signers = [Ed25519PrivateKey.generate()]
    cloud.codes["PROV-A"] = None
    made = Program(cloud, tmp_path / "state")
    yield made
    await made.close()


async def test_a_doctor_says_what_is_missing_and_then_that_all_is_well(
    cloud: CloudDouble, program: Program
) -> None:
    code, said = await program.finish("doctor")
    assert code == 0  # Nothing is wrong with a folder that the first start makes.
    assert "is not there yet" in said
    code, said = await program.finish("doctor", EDGEFLOW_SAAS_URL="")
    assert (code, "PROBLEM  cloud: No cloud is configured" in said) == (1, True)
    code, said = await program.finish("doctor", EDGEFLOW_SAAS_URL="127.0.0.1:9")
    assert (code, "Nothing listens at 127.0.0.1:9" in said) == (1, True)
    await program.finish("lock")
    code, said = await program.finish("doctor")
    assert (code, "PROBLEM  credentials: Not provisioned" in said) == (1, True)
    assert "Updates are locked" in said
    assert (await program.finish("provision", "PROV-A"))[0] == 0
    code, said = await program.finish("doctor")
    assert code == 0, said
    assert "ok       credentials: This is dev_1." in said
    assert f"must be signed with {cloud.flow_keys()[0]['key_id']}" in said
    assert "ok       clock: The clock agrees" in said
    cloud.date = "Tue, 24 Nov 2015 10:00:00 GMT"
    code, said = await program.finish("doctor")
    assert code == 1
    assert "years ahead of the cloud's" in said
    cloud.date = ""
    for name in ("credentials", "flow-keys"):
        path = Path(program.environment["EDGEFLOW_AGENT_DIR"]) / name
        path.write_bytes(path.read_bytes()[:-9])
    code, said = await program.finish("doctor")
    assert code == 1
    assert said.count("cannot be opened") == 2
    assert not list(path.parent.glob("*.broken"))  # It only looks.


async def test_a_running_agent_is_asked(cloud: CloudDouble, program: Program) -> None:
    process = await program.start(EDGEFLOW_PROVISIONING_CODE="PROV-A")
    await until(lambda: cloud.lines, 15)
    code, said = await program.finish("doctor")
    assert code == 0, said
    assert "the agent runs" in said
    assert "ok       tunnel: online" in said
    assert (await program.finish("lock", "The", "press", "runs."))[0] == 0
    await until(lambda: cloud.events("update_locked"), 10)
    await cloud.desire("dev_1", {"flows": {"f": cloud.sign("f", 1, flow())}})
    await until(lambda: "The press runs." in reported(cloud).get("error", ""), 10)
    code, said = await program.finish("unlock")
    assert (code, said) == (0, "Updates come again.\n")
    await until(lambda: reported(cloud).get("status") in ("testing", "running"), 10)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0
