"""`edgeflow-cloud up` as a person meets it: processes, words and exit codes."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import asyncpg
import httpx2 as httpx
import psutil
import pytest

from edgeflow_cloud.infra.embedded import start_for_tests
from edgeflow_cloud.infra.embedded.ports import free_ports

COMMAND = Path(sys.executable).with_name("edgeflow-cloud")
LIMIT = 60
T = TypeVar("T")


class Up:
    """One `up` in a folder. `said` is everything it has printed so far."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.output = folder / f"output-{time.monotonic_ns()}"
        self.port = int(settings.get("EDGEFLOW_PORT") or free_ports(1)[0])
        environment = {
            "PATH": os.environ["PATH"],
            "EDGEFLOW_PORT": str(self.port),
            "EDGEFLOW_DEMO_DEVICE": "off",
            "EDGEFLOW_DATA_DIR": str(folder / "data"),
            **settings,
        }
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [COMMAND, "up"], cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + LIMIT
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self.said

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT)


@pytest.fixture
def ups(tmp_path: Path) -> Generator[list[Up]]:
    started: list[Up] = []
    yield started
    for one in started:
        one.end(signal.SIGTERM)


def _running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_it_starts_tells_the_login_once_ends_and_is_found_again(tmp_path: Path, ups: list[Up]) -> None:
    first = Up(tmp_path)
    ups.append(first)
    said = first.wait_for("Console")
    password = re.search(r"Password +(\S+)", first.wait_for("Data  "))
    assert password is not None
    assert f"http://127.0.0.1:{first.port}" in said and "owner@edgeflow.local" in said
    login = {"email": "owner@edgeflow.local", "password": password[1]}
    url = f"http://127.0.0.1:{first.port}/api/v1/auth/login"
    assert httpx.post(url, json=login, timeout=20).status_code == 200

    second = Up(tmp_path)
    ups.append(second)
    assert second.process.wait(LIMIT) == 1
    assert f"pid {first.process.pid}" in second.said and "Traceback" not in second.said

    family = first.family()
    assert {"postgres", "valkey-server", "weed"} <= {one.name() for one in family}
    began = time.monotonic()
    assert first.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 20
    assert not _running(family)
    assert "Ended." in first.said

    third = Up(tmp_path)
    ups.append(third)
    said = third.wait_for("Data  ")
    assert "Password" not in said and "owner@edgeflow.local" in said
    assert (
        httpx.post(url.replace(str(first.port), str(third.port)), json=login, timeout=20).status_code == 200
    )

    # kill -9 of the whole, then once more from the same folder.
    family = third.family()
    for one in [*family, psutil.Process(third.process.pid)]:
        if one.is_running():
            one.kill()
    third.process.wait()
    fourth = Up(tmp_path)
    ups.append(fourth)
    fourth.wait_for("Data  ")
    url = url.replace(str(first.port), str(fourth.port))
    assert httpx.post(url, json=login, timeout=20).status_code == 200
    assert fourth.end(signal.SIGTERM) == 0


def test_a_signal_while_it_starts_ends_it(tmp_path: Path, ups: list[Up]) -> None:
    one = Up(tmp_path)
    ups.append(one)
    one.wait_for("EdgeFlow Cloud")
    time.sleep(0.4)
    family = one.family()
    assert one.end(signal.SIGINT) == 0, one.said
    assert not _running(family)
    assert "Traceback" not in one.said


def test_a_taken_port_is_a_sentence_before_anything_starts(tmp_path: Path, ups: list[Up]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = Up(tmp_path, EDGEFLOW_PORT=str(taken.getsockname()[1]))
        ups.append(one)
        assert one.process.wait(LIMIT) == 1
    assert "is taken" in one.said and "EDGEFLOW_PORT" in one.said
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_database_of_a_newer_version_is_a_sentence(tmp_path: Path, ups: list[Up]) -> None:
    with start_for_tests(tmp_path / "data", wanted=("database",)) as parts:
        asyncio.run(_mark_newer(str(parts.database_url)))
    one = Up(tmp_path)
    ups.append(one)
    assert one.process.wait(LIMIT) == 1
    assert "is at schema 9999" in one.said and "Traceback" not in one.said


async def _mark_newer(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create table alembic_version (version_num varchar(32) primary key)")
    await connection.execute("insert into alembic_version values ('9999')")
    await connection.close()


def test_the_demo_device_is_an_agent_that_comes_back_and_dies_with_us(tmp_path: Path, ups: list[Up]) -> None:
    one = Up(tmp_path, EDGEFLOW_DEMO_DEVICE="on")
    ups.append(one)
    said = one.wait_for("Demo device online")
    password = re.search(r"Password +(\S+)", said)
    assert password is not None
    with httpx.Client(base_url=f"http://127.0.0.1:{one.port}/api/v1", timeout=20) as api:
        login = {"email": "owner@edgeflow.local", "password": password[1]}
        token = api.post("/auth/login", json=login).json()["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"

        def connected_at() -> str | None:
            (device,) = api.get("/devices").json()["items"]
            return device["connected_at"] if device["status"] == "online" else None

        first = _until(connected_at, lambda at: at is not None)
        (agent,) = [child for child in one.family() if "edgeflow_agent" in child.cmdline()]
        agent.kill()
        _until(connected_at, lambda at: at not in (None, first))
    (agent,) = [child for child in one.family() if "edgeflow_agent" in child.cmdline()]
    one.process.kill()
    one.process.wait()
    _until(lambda: _running([agent]), lambda left: not left)


def _until(look: Callable[[], T], enough: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + 30
    while not enough(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


def test_bad_settings_end_it_with_two(tmp_path: Path, ups: list[Up]) -> None:
    one = Up(tmp_path, EDGEFLOW_DEMO_DEVICE="perhaps", EDGEFLOW_LOG_LEVEL="loud")
    ups.append(one)
    assert one.process.wait(LIMIT) == 2
    assert len(one.said.strip().splitlines()) == 2
    assert "EDGEFLOW_DEMO_DEVICE is 'perhaps' but must be on or off." in one.said


def test_config_prints_every_setting_with_its_origin(tmp_path: Path) -> None:
    environment = {"EDGEFLOW_DATABASE_URL": "postgresql://u:hunter2@h/x", "EDGEFLOW_PROT": "1"}
    done = subprocess.run(
        [COMMAND, "config"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0
    assert "EDGEFLOW_PORT=8000  # default" in done.stdout
    assert "EDGEFLOW_DATABASE_URL=postgresql://u:********@h/x  # environment" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert "did you mean EDGEFLOW_PORT?" in done.stderr


def test_serve_without_its_parts_says_which(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "serve", "--role", "api"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 1
    assert "Set EDGEFLOW_DATABASE_URL" in done.stderr and "Traceback" not in done.stderr
