# ruff: noqa: E501  tables of flows and code read better unbroken
"""Python nodes: what they do, and the walls around them; five escapes and more are tried."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.tests.engine.conftest import Bench, Folder, Tap
from edgeflow_agent.engine import Engine, FlowRefused
from edgeflow_agent.engine.sandbox import bridge as sandbox


async def run(bench: Bench, code: str, *messages: Any, **config: Any) -> tuple[list[Any], list[str]]:
    """What it sends, and its errors."""
    if bench.engine.flows():
        await bench.engine.remove("f")
    nodes = [
        {"id": "n", "type": "python", "config": {"code": code, **config}}, {"id": "t", "type": "tap"},
        {"id": "c", "type": "catch"}, {"id": "e", "type": "tap"},
    ]  # fmt: skip
    await bench.run(nodes, [("n", "t"), ("c", "e")])
    for message in messages or (1,):
        bench.send("n", message)
    await bench.quiet(30)
    return bench.payloads("t"), [message["error"]["message"] for message in bench.seen("e")]  # type: ignore[index]


async def test_messages_in_and_out(bench: Bench) -> None:
    assert await run(bench, "msg['payload'] *= 2", 1, 2) == ([2, 4], [])
    assert await run(bench, "if msg['payload'] > 1:\n    return msg\nreturn None", 1, 2) == ([2], [])
    assert await run(bench, "for n in range(3):\n    node.send({'payload': n})\nreturn None") == (
        [0, 1, 2],
        [],
    )
    code = (
        "context['n'] = context.get('n', 0) + 1\nreturn [[{'payload': context['n']}, {'payload': b'\\x00'}]]"
    )
    assert await run(bench, code, 1, 1) == ([1, b"\x00", 2, b"\x00"], [])
    code = "import json, math, datetime, threading\nmsg['payload'] = math.floor(json.loads('[2.5]')[0])"
    assert await run(bench, code) == ([2], [])
    assert (await run(bench, "x = 1\nraise ValueError('no')"))[1] == ["ValueError: no (line 2)"]
    with pytest.raises(FlowRefused, match=r"SyntaxError: .* \(line 2\)"):
        await run(bench, "x = 1\ny = = 2")


ESCAPES = {
    "network": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)",
    "raw socket": "import ctypes\nif ctypes.CDLL(None).socket(2, 1, 0) < 0: raise OSError('refused')",
    "write a file": "open('/tmp/escaped', 'w').write('x')",
    "write beside itself": "import os\nos.open(os.path.dirname(os.__file__) + '/escaped', os.O_CREAT | os.O_WRONLY)",
    "read what is not Python's": "open('{secret}').read()",
    "list the device": "import os\nos.listdir('/etc')",
    "start a program": "import subprocess\nsubprocess.run(['/bin/true'], check=True)",
    "fork": "import os\nos.fork()",
    "kill the agent": "import os\nos.kill({agent}, 9)",
    "trace the agent": "import ctypes\nif ctypes.CDLL(None).ptrace(16, {agent}, 0, 0) < 0: raise OSError('refused')",
    "read the agent's memory": "open('/proc/{agent}/mem', 'rb').read(1)",
    "mount": "import ctypes\nif ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) < 0: raise OSError('refused')",
    "another namespace": "import ctypes\nif ctypes.CDLL(None).unshare(0x10000000) < 0: raise OSError('refused')",
    "lift its limits": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
}


@pytest.mark.parametrize("name", ESCAPES)
async def test_an_escape_is_refused(name: str, tmp_path: Path) -> None:
    import socket

    secret = tmp_path / "agent.key"
    secret.write_text("secret")
    engine = Engine(Folder(tmp_path))
    engine.registry.add(Tap)
    bench = Bench(engine)
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = ESCAPES[name].format(port=server.getsockname()[1], secret=secret, agent=os.getpid())
        sent, errors = await run(bench, code)
        assert sent == [] and len(errors) == 1, (sent, errors)
        assert any(
            word in errors[0]
            for word in (
                "Permission",
                "permitted",
                "Read-only",
                "refused",
                "not allowed",
                "No such",
                "unreachable",
            )
        ), errors
        bench.send("n", 1)  # It still answers.
        await bench.quiet()
        assert len(bench.seen("e")) == 2
    assert not Path("/tmp/escaped").exists()
    await engine.close()


async def test_time_and_memory_have_limits_and_it_starts_anew(bench: Bench) -> None:
    code = "if msg['payload'] == 'loop':\n    while True: pass\nif msg['payload'] == 'eat':\n    x = bytearray(10**9)\nmsg['payload'] = 'fine'"
    sent, errors = await run(bench, code, "x", "loop", "x", "eat", "x", timeout=0.5, memory=64)
    assert sent == ["fine"] * 3
    assert errors[0] == "The code ran longer than its time limit of 0.5 s." and errors[1].startswith(
        "MemoryError"
    )


async def test_it_ends_with_its_flow_and_prints_to_the_log(bench: Bench) -> None:
    subscription = bench.engine.subscribe("log")
    assert await run(bench, "print('hello', msg['payload'])") == ([1], [])
    assert (await anext(subscription)).message == "hello 1"  # type: ignore[union-attr]
    children = [child for child in psutil.Process().children() if "runner.py" in " ".join(child.cmdline())]
    assert children
    await bench.engine.stop("f")
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


async def test_what_the_kernel_refuses_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The walls are put up by a copy of confine.py whose kernel calls fail as on an old kernel."""
    source = (Path(sandbox.__file__).parent / "confine.py").read_text()
    (tmp_path / "runner.py").write_text((Path(sandbox.__file__).parent / "runner.py").read_text())
    confine = tmp_path / "confine.py"
    monkeypatch.setattr(sandbox, "_HERE", tmp_path)
    subscription = bench.engine.subscribe("log")
    confine.write_text(
        source.replace(
            '    _call("unshare",',
            '    raise _Refused("unshare: Operation not permitted")\n    _call("unshare",',
        )
    )
    assert (await run(bench, "return msg"))[0] == [1]
    line: Any = await anext(subscription)
    assert "namespaces (no network, root read-only): unshare: Operation not permitted" in line.message
    broken = confine.read_text().replace(
        "def _filter_calls() -> None:\n", 'def _filter_calls() -> None:\n    raise _Refused("none")\n'
    )
    confine.write_text(broken)
    with pytest.raises(FlowRefused, match="lets no walls be put around Python"):
        await run(bench, "return msg")
