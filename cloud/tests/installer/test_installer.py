"""The one-line install, really run on this machine into a folder of its own, from a real HTTP server."""

import asyncio
import io
import os
import shutil
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from edgeflow_cloud.app.installer import install_routes
from edgeflow_cloud.app.installer.needs import environments
from edgeflow_cloud.app.installer.packing import list_requirements, pack_wheel
from edgeflow_cloud.infra.settings import Settings

# ruff: noqa: ASYNC110 - waits for a server of another library; a test's own files


VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class House:
    """A cloud that serves nothing but the installer."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    async def run(self, prefix: Path, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run the script as the console says, under `prefix`."""
        script = self.folder / "install.sh"
        async with httpx2.AsyncClient() as client:
            script.write_bytes((await client.get(f"{self.url}/install.sh")).content)
        process = await asyncio.create_subprocess_exec(
            "sh", str(script), "--prefix", str(prefix), *arguments,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)} | environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 240)
        return process.returncode or 0, out.decode()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    app = Starlette()
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    settings = Settings(data_dir=tmp_path / "data", public_url=f"http://127.0.0.1:{port}")
    app.router.routes.extend(install_routes(settings))
    yield House(tmp_path, port)
    server.should_exit = True
    await serving


async def listed(house: House, machine: str, python: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=240) as client:
        answer = await client.get(f"{house.url}/install/{machine}/{python}")
    if answer.status_code == 503 and "package index" in answer.json()["error"]:
        pytest.skip(answer.json()["error"])
    return answer


async def test_the_one_line_makes_a_working_agent(house: House, tmp_path: Path) -> None:
    await listed(house, os.uname().machine, VERSION)
    prefix = tmp_path / "device"
    code, said = await house.run(prefix)
    assert code == 0, said
    assert "Start it with" in said
    config = (prefix / "agent.env").read_text()
    assert f"EDGEFLOW_SAAS_URL={house.url.removeprefix('http://')}\n" in config
    assert "EDGEFLOW_SAAS_TLS=false\n" in config
    assert (prefix / "state").stat().st_mode & 0o777 == 0o700
    agent = str(prefix / "edgeflow-agent")
    assert (await ask(agent, "--version"))[1].startswith("edgeflow-agent ")
    code, said = await ask(agent, "status")
    assert (code, said) == (1, "Not provisioned, and the agent does not run.\n")
    assert list((prefix / "venv").glob("lib/python3*/site-packages/edgeflow_agent/edgeflow-agent.service"))

    (prefix / "agent.env").write_text(config + "EDGEFLOW_LOG_LEVEL=perhaps\n")
    assert "EDGEFLOW_LOG_LEVEL is 'perhaps'" in (await ask(agent, "status"))[1]
    assert (await ask(agent, "status", EDGEFLOW_LOG_LEVEL="info"))[0] == 1
    code, said = await house.run(prefix)  # Again: what a person wrote stays.
    assert code == 0, said
    assert "EDGEFLOW_LOG_LEVEL=perhaps" in (prefix / "agent.env").read_text()
    assert (prefix / "agent.env").read_text().count("EDGEFLOW_SAAS_URL") == 1

    code, said = await house.run(prefix, "--uninstall")
    assert code == 0
    assert "its state stays" in said
    assert not (prefix / "venv").exists()
    assert (prefix / "state").exists()
    assert (await house.run(prefix, "--purge"))[0] == 0
    assert not (prefix / "state").exists()


async def ask(agent: str, *arguments: str, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        agent, *arguments, env={"PATH": os.environ["PATH"]} | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "arm64"])
async def test_both_kinds_of_machines_are_served(house: House, machine: str) -> None:
    answer = await listed(house, machine, "3.11")
    assert answer.status_code == 200, answer.text
    names = [file["name"] for file in answer.json()["files"]]
    for part in ("edgeflow_agent-", "edgeflow_protocol-", "pip-", "cryptography-", "msgspec-"):
        assert any(name.startswith(part) for name in names), names
    # Of Debian 12's own Python, 3.11.2, redis wants what a newer 3.11, such as the cloud may run on, has itself.
    assert any(name.startswith("async_timeout-") for name in names), names
    plain = "aarch64" if machine == "arm64" else machine
    assert all(name.endswith(("-none-any.whl", f"_{plain}.whl")) for name in names), names
    async with httpx2.AsyncClient() as client:
        wheel = await client.get(f"{house.url}/install/{machine}/3.11/{names[0]}")
    assert wheel.status_code == 200


async def test_what_is_not_served_is_a_sentence(house: House) -> None:
    async with httpx2.AsyncClient() as client:
        for path, part in (
            ("armv7l/3.11", "x86_64 and aarch64"),
            ("x86_64/2.7", "does not run on Python"),
            ("x86_64/3.11/nothing.whl", "no such file"),
            ("x86_64/3.11/needs", "no such file"),
        ):
            answer = await client.get(f"{house.url}/install/{path}")
            assert (answer.status_code, part in answer.json()["error"]) == (404, True), answer.text
    code, said = await house.run(house.folder / "x", "--sideways")
    assert (code, "no option --sideways" in said) == (1, True)


async def test_an_index_that_is_away_is_said_on_the_device(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    code, said = await house.run(tmp_path / "device")
    assert code == 1
    assert "could not fetch the agent's packages" in said
    assert "package index" in said
    assert not (tmp_path / "device" / "venv").exists()


async def test_a_damaged_wheel_installs_nothing(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await listed(house, os.uname().machine, VERSION)
    real = shutil.which("python3")
    assert real
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").write_text(
        f'#!/bin/sh\nif [ "$1" = - ]; then sed \'s/sha256(data)/sha256(data + b"x")/\' | exec {real} "$@"; fi\n'
        f'exec {real} "$@"\n'
    )
    (tools / "python3").chmod(0o755)
    code, said = await house.run(tmp_path / "device", PATH=f"{tools}:{os.environ['PATH']}")
    assert (code, "came damaged" in said) == (1, True), said
    assert not (tmp_path / "device" / "venv").exists()


def test_a_packed_wheel_is_the_same_each_time_and_whole() -> None:
    name, data = pack_wheel("edgeflow-agent")
    assert (name, data) == pack_wheel("edgeflow-agent")
    files = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert "edgeflow_agent/cli.py" in files
    assert "edgeflow_agent/edgeflow-agent.service" in files
    assert not [file for file in files if "__pycache__" in file]
    needs = list_requirements(environments("aarch64", "3.11"))
    assert any(need.startswith("msgspec==") for need in needs)
    assert not [need for need in needs if need.startswith("edgeflow")]
