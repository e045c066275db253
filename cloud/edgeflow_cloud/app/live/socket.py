"""The WebSocket `/live`.

Server to page: `{"changed": [path, …]}` (fetch these again; `*` means everything) and `{"sample": {…}}`,
`{"log": {…}}`, `{"event": {…}}`, `{"execution": {…}}` of the devices that it watches, each with its `device_id`.
Page to server: `{"subscribe": ["devices/dev_…/metrics"]}` (or `/logs`, `/events`, `/executions`) and
`{"unsubscribe": […]}`.
"""

import asyncio
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from edgeflow_cloud import devices
from edgeflow_cloud.app.callers import is_live
from edgeflow_cloud.app.live import tickets
from edgeflow_cloud.infra.bus import BusAway, Subscription
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.outbox import live_channel
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Problem
from edgeflow_cloud.kernel.ids import DeviceId, MalformedId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import STREAMS, stream_channel, stream_of

log = structlog.get_logger("edgeflow.live")
_FETCH_ALL = b'{"changed":["*"]}'
_WATCHED_AT_ONCE = 50
_SEND_DEADLINE = 10.0


class Wish(msgspec.Struct):
    """What a page sends."""

    subscribe: list[str] = []
    unsubscribe: list[str] = []


async def serve_live(socket: WebSocket) -> None:
    """One page's socket, from its ticket to its end."""
    context: Context = socket.app.state.context
    if not _same_origin(socket, context.settings.public_url):
        await socket.close(4403, "This origin may not open the live socket.")
        return
    try:
        principal = await tickets.redeem(context.bus, socket.query_params.get("ticket", ""))
    except BusAway:
        await socket.close(1013, "Try again in a moment.")
        return
    if principal is None:
        await socket.close(4401, "The ticket is unknown or was used; get a new one.")
        return
    await socket.accept()
    gap = asyncio.Event()
    gap.set()  # what changed between the page's first fetch and this moment
    async with context.bus.subscribe(
        live_channel(principal.tenant_id), limit=500, on_gap=gap.set
    ) as subscription:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_end_with_session(socket, context, principal))
                tasks.create_task(_tell_gaps(socket, gap))
                tasks.create_task(_send(socket, subscription))
                tasks.create_task(_listen(socket, subscription, context, principal))
        except* (WebSocketDisconnect, TimeoutError, RuntimeError):
            pass  # the page left, or stopped reading: it will be back with a new ticket


async def _tell_gaps(socket: WebSocket, gap: asyncio.Event) -> None:
    """Whenever something may have been missed, the page fetches everything that it shows again."""
    while True:
        await gap.wait()
        gap.clear()
        await _send_text(socket, _FETCH_ALL)


async def _send(socket: WebSocket, subscription: Subscription) -> None:
    async for message in subscription:
        stream = stream_of(message.channel)
        if stream is None:
            await _send_text(socket, message.data)
        else:
            await _send_text(socket, b'{"' + STREAMS[stream].encode() + b'":' + message.data + b"}")


async def _end_with_session(socket: WebSocket, context: Context, principal: Principal) -> None:
    """A page whose session was ended, or whose person may do less now, loses its socket within two seconds. The
    latter comes back with a new ticket, and with what that allows.
    """
    while await is_live(context, principal):  # noqa: ASYNC110 - the answer is another process's
        await asyncio.sleep(1)
    await socket.close(4401, "The session has ended, or allows less than before.")
    raise WebSocketDisconnect(4401)


async def _send_text(socket: WebSocket, data: bytes) -> None:
    async with asyncio.timeout(_SEND_DEADLINE):
        await socket.send_text(data.decode())


async def _listen(
    socket: WebSocket, subscription: Subscription, context: Context, principal: Principal
) -> None:
    while True:
        text = await socket.receive_text()
        try:
            wish = msgspec.json.decode(text, type=Wish)
        except (msgspec.MsgspecError, UnicodeError):
            await _send_text(
                socket, b'{"error":"A message is {\\"subscribe\\": [path, ...]} or unsubscribe."}'
            )
            continue
        for path in wish.unsubscribe:
            if (wanted := _wanted(path)) is not None:
                await subscription.remove(stream_channel(wanted[0], principal.tenant_id, wanted[1]))
        for path in wish.subscribe[:_WATCHED_AT_ONCE]:
            wanted = _wanted(path)
            if wanted is None or len(subscription.channels) > _WATCHED_AT_ONCE:
                continue
            stream, device = wanted
            if await _may_watch(context, principal, device):
                await subscription.add(stream_channel(stream, principal.tenant_id, device))


async def _may_watch(context: Context, principal: Principal, device: DeviceId) -> bool:
    if not principal.may("devices:view"):
        return False
    try:
        async with context.db.tenant_tx(principal) as tx:
            await devices.find_device(tx, principal, device)
    except Problem:
        return False
    return True


def _wanted(path: str) -> tuple[str, DeviceId] | None:
    """The stream and the device that a path names; None when it names neither."""
    match path.split("/"):
        case ["devices", device, stream] if stream in STREAMS:
            try:
                return stream, DeviceId(ids.decode(ids.DEVICE, device))
            except MalformedId:
                return None
        case _:
            return None


def _same_origin(socket: WebSocket, public_url: str) -> bool:
    """A browser always names the page's origin: it must be ours. A program without one may come."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    ours = {urlsplit(public_url).netloc, socket.headers.get("host", "")}
    return urlsplit(origin).netloc in ours
