"""What is made to hurt, on the tunnel and over REST: refused clearly, with the right code; nobody else notices."""

import asyncio
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import httpx2

from edgeflow_cloud.drills import Drill, Ground, Layout, Order, Peer, Report, open_stack
from edgeflow_cloud.simulator import Credentials, Latencies
from edgeflow_protocol import frames
from edgeflow_protocol.closing import CloseCode

_MIB = 1024 * 1024
_MEMORY = 64 * _MIB
_SLOWEST = 1.0
_WAIT = 10.0
_WITNESSES = 5
_SILENCE = 1.0


def _telemetry(value: bytes) -> bytes:
    return (
        b'{"type":"telemetry","boot_id":"b","sequence":1,"samples":[{"time":"2026-01-01T00:00:00Z",%s}]}'
        % value
    )


@dataclass(frozen=True)
class Bomb:
    """What is sent by somebody who is in, and the close code that must follow; 0: it is told, and stays in."""

    name: str
    message: bytes
    code: int = 0
    times: int = 1


_TUNNEL = (
    Bomb(
        "300 KiB in a frame", b'{"type":"ping","timestamp":"' + b"x" * 300 * 1024 + b'"}', CloseCode.TOO_LARGE
    ),
    Bomb("a hundred thousand lists", b'{"type":"command","id":"1","payload":' + b"[" * 100_000),
    Bomb(
        "forty objects", b'{"type":"shadow_reported","id":"1","reported":' + b'{"a":' * 40 + b"1" + b"}" * 41
    ),
    Bomb("no JSON", b"\x00\x01\x02 not json"),
    Bomb("no object", b"[1,2,3]"),
    Bomb(
        "half a surrogate pair and NUL",
        b'{"type":"shadow_reported","id":"1","reported":{"a":"\\ud800\\u0000"}}',
    ),
    Bomb("1e999", _telemetry(b'"cpu_percent":1e999')),
    Bomb("a hundred thousand digits", _telemetry(b'"cpu_percent":' + b"9" * 100_000)),
    Bomb(
        "a time that is none",
        b'{"type":"telemetry","boot_id":"b","sequence":2,"samples":[{"time":"yesterday"}]}',
    ),
    Bomb("too many frames", b'{"type":"ping"}', CloseCode.TOO_MANY, 600),
)
_SHADOW = b'{"reported": {"a": %s}}'
_REST: tuple[tuple[str, bytes, dict[str, str], set[int]], ...] = (
    ("two mebibytes", _SHADOW % (b'"' + b"x" * 2 * _MIB + b'"'), {}, {413}),
    ("a hundred thousand lists", _SHADOW % (b"[" * 100_000), {}, {400, 422}),
    ("forty lists", _SHADOW % (b"[" * 40 + b"]" * 40), {}, {422}),
    ("a gzip of 100 MiB", gzip.compress(b"x" * 100 * _MIB, 1), {"content-encoding": "gzip"}, {415}),
    ("1e999", _SHADOW % b"1e999", {}, {422}),
    ("a hundred thousand digits", _SHADOW % (b"9" * 100_000), {}, {422}),
    ("NaN", _SHADOW % b"NaN", {}, {400, 422}),
    ("a key twice", b'{"reported": {"k": 1, "k": 2}}', {}, {200, 422}),
    ("bytes of no character", _SHADOW % b'"\xff\xfe"', {}, {400}),
)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """All bombs at once, each by a device of its own, while witnesses ping."""
    limits = {"authentication_seconds": _SILENCE}
    layout = Layout(0, 0, 0, 1)
    async with (
        open_stack(ground, layout, report, mutant=order.mutant, limits=limits) as stack,
        stack.owner() as api,
    ):
        node = stack.of("all")[0]
        url = f"ws://127.0.0.1:{node.port}/tunnel"
        identities = await stack.enter(_WITNESSES + len(_TUNNEL) + 2)
        witnesses = [await Peer.enter(url, one) for one in identities[:_WITNESSES]]
        pongs = Latencies()
        pinging = asyncio.create_task(_ping(witnesses, pongs))
        throwers = identities[_WITNESSES:]
        before = node.memory()
        await asyncio.gather(
            *(partial(_throw, url, one)(bomb, report) for one, bomb in zip(throwers, _TUNNEL, strict=False)),
            _strangers(url, throwers[-1], report),
            _rest(str(api.base_url), throwers[-2], report),
        )
        grown = node.memory() - before
        pinging.cancel()
        report.fact("bombs", len(_TUNNEL) + len(_REST) + 5)
        report.fact("memory", f"{grown / _MIB:+.0f} MiB")
        report.fact("ping of the others", pongs.shown())
        report.check(grown <= _MEMORY, f"bombs cost at most 64 MiB: {grown / _MIB:.0f} MiB")
        slow = pongs.quantile(0.99)
        report.check(slow <= _SLOWEST, f"nobody else waits: p99 of a ping is {slow:.2f} s")
        codes = {peer.code for peer in witnesses}
        report.check(codes == {0}, f"nobody else is put out: close codes {codes}")
        for line in stack.failures()[:5]:
            report.check(False, f"no handler fails: {line}")
        ending = asyncio.create_task(node.end())
        told = {await peer.ended(30.0) for peer in witnesses}
        await ending
        report.check(told == {int(CloseCode.RESTART)}, f"a cloud that ends says 1012: {told}")


async def _throw(url: str, credentials: Credentials, bomb: Bomb, report: Report) -> None:
    """One bomb: a sentence comes back, then the right close or none; whoever stays in is still served."""
    peer = await Peer.enter(url, credentials)
    peer.heard.clear()
    for _ in range(bomb.times):
        peer.say(bomb.message)
    told = await peer.until(lambda: any(_refusal(frame) for frame in peer.heard), _WAIT)
    harmless = bomb.name.startswith("half a surrogate") and any(
        isinstance(frame, frames.ShadowAccepted) for frame in peer.heard
    )
    report.check(
        told or harmless, f"{bomb.name}: the device is told, it heard {peer.heard[-2:]}, close {peer.code}"
    )
    if bomb.code:
        code = await peer.ended(_WAIT)
        report.check(code == bomb.code, f"{bomb.name}: closed with {bomb.code}, not {code}")
        return
    peer.say(frames.Ping())
    alive = await peer.until(lambda: any(isinstance(frame, frames.Pong) for frame in peer.heard), _WAIT)
    report.check(alive, f"{bomb.name}: whoever sent it stays in: close {peer.code}")
    peer.end()


def _refusal(frame: frames.CloudFrame) -> bool:
    match frame:
        case frames.Error(error=said) | frames.Ack(error=said) | frames.Response(error=said):
            return said.endswith((".", ")"))
        case _:
            return False


async def _strangers(url: str, credentials: Credentials, report: Report) -> None:
    """Who is not in yet: a wrong word first, silence, a wrong key; and a second connection of one device."""

    async def code_of(message: bytes | frames.Connect | None) -> int:
        peer = Peer(credentials)
        await peer.dial(url)
        if message is not None:
            peer.say(message)
        return await peer.ended(_WAIT)

    wrong = frames.Connect(device_id=credentials.device_id, api_key="efk_wrong", version="1.0.0")
    found = {
        "a command before connect": (await code_of(b'{"type":"command"}'), CloseCode.POLICY),
        "silence": (await code_of(None), CloseCode.AUTHENTICATION_TIMEOUT),
        "a wrong key": (await code_of(wrong), CloseCode.BAD_CREDENTIALS),
        "300 KiB before connect": (await code_of(b'"' + b"x" * 300 * 1024 + b'"'), CloseCode.TOO_LARGE),
    }
    first = await Peer.enter(url, credentials)
    second = await Peer.enter(url, credentials)
    found["a second connection"] = (await first.ended(_WAIT), CloseCode.REPLACED)
    second.end()
    for name, (code, right) in found.items():
        report.check(code == right, f"{name}: closed with {int(right)}, not {code}")


async def _rest(base: str, credentials: Credentials, report: Report) -> None:
    """Each bomb to a route that devices may call: 4xx, with a code and a sentence."""
    headers = {"x-api-key": credentials.api_key, "content-type": "application/json"}
    url = f"{base.rstrip('/')}/devices/{credentials.device_id}/shadow"
    async with httpx2.AsyncClient(timeout=30, trust_env=False, headers=headers) as client:
        for name, body, more, allowed in _REST:
            try:
                answer = await client.put(url, content=body, headers=more)
            except httpx2.HTTPError as error:
                report.check(False, f"{name} over REST is answered: {error!r}")
                continue
            said = _document(answer)
            right = answer.status_code in allowed
            clear = answer.status_code == 200 or bool(said.get("code") and said.get("detail"))
            report.check(
                right and clear,
                f"{name} over REST is refused clearly: {answer.status_code} {answer.text[:200]}",
            )


def _document(answer: httpx2.Response) -> dict[str, object]:
    try:
        return dict(json.loads(answer.content))
    except ValueError:
        return {}


async def _ping(witnesses: Sequence[Peer], into: Latencies) -> None:
    loop = asyncio.get_running_loop()
    while True:
        for peer in witnesses:
            peer.heard.clear()
            began = loop.time()
            peer.say(frames.Ping())
            await peer.until(lambda peer=peer: bool(peer.heard), _WAIT)
            into.add(loop.time() - began)
            await asyncio.sleep(0.02)


DRILL = Drill(
    name="bombs",
    question="Is what is made to hurt refused clearly, with the right code, and does nobody else notice?",
    run=run,
    mutants={"any-json": "bodies are read as Python's parser reads them"},
    seconds=1.0,
    devices=1,
)
