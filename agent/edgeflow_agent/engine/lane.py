"""How messages move in one flow: a queue of deliveries, worked off in order, in slices that leave the event loop room.

A node whose `receive` does not wait is called straight away: out of the queue, or, while the queue is being worked off
and nothing else waits for that node, right where the message is sent (up to `DEEP` nodes deep). So a chain of nodes
costs neither tasks nor hops, each node still sees its messages in order, never two at a time, and an error stays its
own. A node that waits has an inbox; while it works, what comes for it waits there in order.

Bounds: an inbox holds `INBOX` messages, the queue `QUEUE`. What comes to a full one is dropped, counted at the node,
and told once a second as that node's error. Sources and nodes that make many messages of one await `room` and so never
get there: it waits while the queue or an inbox downstream holds more than `ROOMY`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Iterable
from functools import partial

from .host import AnyNode, Host
from .message import Message
from .node import Pending, current_run
from .run import Run
from .showing import show
from .wiring import behind

INBOX = 10_000
QUEUE = 50_000
ROOMY = 500
DEEP = 16
_LONGEST_CHAIN = 64
_SLICE = 0.004
_CHECK_EVERY = 7


class Lane:
    """The deliveries of one flow. All on the event loop."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.waiting = 0
        """Messages in inboxes."""
        self._pending = 0
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[AnyNode, Message, Run]] = deque()
        self._scheduled = False
        self._open = False
        self._depth = DEEP
        """Nodes deep on the stack; DEEP while the queue is not being worked off: then everything is queued."""
        self._others = 0.0
        """Seconds that nodes further down a traced chain took."""
        self._rooms: list[asyncio.Future[None]] = []
        self._downstream: dict[AnyNode, tuple[AnyNode, ...]] = {}
        self._working: set[asyncio.Future[None]] = set()
        self._told: dict[AnyNode, float] = {}

    # --- life

    def open(self, nodes: Iterable[AnyNode]) -> None:
        """Begin to deliver to these; what was sent before waits for this."""
        self._open = True
        self._downstream.clear()
        for node in nodes:
            self._take(node)
        self._schedule()

    def pause(self) -> None:
        """Deliver nothing more until `open`; what is under way goes on."""
        self._open = False

    async def settle(self, seconds: float) -> None:
        """Wait until nothing is under way in a node, but not longer."""
        if self._working:
            await asyncio.wait(list(self._working), timeout=seconds)

    def drop_node(self, node: AnyNode) -> None:
        """A node leaves: what waits for it is dropped."""
        for _, run in node.inbox:
            self._release(run)
        self.waiting -= len(node.inbox)
        node.inbox.clear()
        for entry in [entry for entry in self._queue if entry[0] is node]:
            self._queue.remove(entry)
            node.queued -= 1
            self._release(entry[2])

    async def close(self) -> None:
        """Cancel what is under way and drop what waits."""
        self._open = False
        working = list(self._working)
        for future in working:
            future.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        self._queue.clear()
        self._wake()

    # --- messages

    def enter(self) -> bool:
        """Let what is sent until `leave` go straight on, as while the queue is worked off; False if it does already."""
        if self._depth < DEEP or not self._open:
            return False
        self._depth = 0
        return True

    def leave(self) -> None:
        """After an `enter` that answered True."""
        self._depth = DEEP

    def begin(self, node: AnyNode) -> Run:
        """A new execution that begins at `node`."""
        return self.host.begin_run(node)

    def put(self, node: AnyNode, message: Message, run: Run) -> None:
        """Give a message to a node of this lane: at once if nothing stands against it, else by the queue."""
        if self._depth < DEEP and not node.queued:
            if run.traced:
                if node.busy < node.concurrency and not node.inbox:
                    self._depth += 1
                    run.pending += 1
                    self._deliver_traced(node, message, run)
                    self._depth -= 1
                    return
            elif node.forwards:
                self._depth += 1
                self._forward(node, message, run)
                self._depth -= 1
                return
            elif node.busy < node.concurrency and not node.inbox:
                self._depth += 1
                node.queued = 1
                node.received += 1
                try:
                    result = node.receive(message)
                except Exception as error:
                    self.host.report(node, error, message)
                else:
                    if result is not None:
                        run.pending += 1
                        self._wait_for(node, message, run, result)
                    elif node.watched:
                        self.host.completed(node, message)
                node.queued -= 1
                self._depth -= 1
                return
        self.queue(node, message, run)

    def queue(self, node: AnyNode, message: Message, run: Run) -> None:
        """Queue a message for a node of this lane."""
        queue = self._queue
        if len(queue) >= QUEUE:
            self._refuse(node, "The flow's queue", QUEUE)
            return
        run.pending += 1
        node.queued += 1
        queue.append((node, message, run))
        if not self._scheduled and self._open:
            self._scheduled = True
            self._loop.call_soon(self._drain)

    async def room(self, node: AnyNode) -> None:
        """Wait while there is too much to do behind `node`."""
        while self._crowded(node):
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._rooms.append(waiter)
            await waiter

    @property
    def load(self) -> int:
        """Messages that wait or are being handled."""
        return len(self._queue) + self.waiting + len(self._working) + self._pending

    # --- inside

    def _drain(self) -> None:
        self._scheduled = False
        queue = self._queue
        deadline = time.perf_counter() + _SLICE
        count = 0
        self._depth = 0
        while queue and self._open:
            node, message, run = queue.popleft()
            node.queued -= 1
            if node.busy >= node.concurrency or node.inbox:
                if len(node.inbox) >= INBOX:
                    self._refuse(node, "Its inbox", INBOX)
                    self._release(run)
                else:
                    node.inbox.append((message, run))
                    self.waiting += 1
            else:
                self._deliver(node, message, run)
            count += 1
            if not count & _CHECK_EVERY and time.perf_counter() > deadline:
                break
        self._depth = DEEP
        current_run.set(None)
        if self._rooms:
            self._wake()
        if queue:
            self._schedule()

    def _forward(self, node: AnyNode, message: Message, run: Run) -> None:
        """Take a message along a chain of nodes that forward, without a call of `send` between them."""
        try:
            for _ in range(_LONGEST_CHAIN):
                node.received += 1
                output = node.forward(message)
                if node.watched:
                    self.host.completed(node, message)
                if output is None:
                    return
                straight = node.straight
                following = straight[output] if output < len(straight) else None
                if following is None or following.queued:
                    node.send(message, output)
                    return
                node.sent += 1
                node = following
        except Exception as error:
            self.host.report(node, error, message)
        else:
            self.queue(node, message, run)  # A loop without a pause: others get their turn.

    def _deliver(self, node: AnyNode, message: Message, run: Run) -> None:
        node.received += 1
        current_run.set(run)
        if run.traced:
            self._deliver_traced(node, message, run)
            return
        if node.forwards:
            node.received -= 1
            self._forward(node, message, run)
            run.pending -= 1
            if not run.pending:
                self.host.end_run(run)
            return
        node.queued += 1
        try:
            result = node.receive(message)
        except Exception as error:
            self.host.report(node, error, message)
        else:
            if result is not None:
                node.queued -= 1
                self._wait_for(node, message, run, result)
                return
            if node.watched:
                self.host.completed(node, message)
        node.queued -= 1
        run.pending -= 1
        if not run.pending:
            self.host.end_run(run)

    def _deliver_traced(self, node: AnyNode, message: Message, run: Run) -> None:
        trace = run.trace(node.id)
        trace.received += 1
        if run.shown:
            trace.input = show(message)[0]
        node.queued += 1
        others, self._others = self._others, 0.0
        began = time.perf_counter()
        try:
            result = node.receive(message)
        except Exception as error:
            result = None
            self.host.report(node, error, message)
        else:
            if result is None and node.watched:
                self.host.completed(node, message)
        node.queued -= 1
        took = time.perf_counter() - began
        if result is not None:
            trace.under_way += 1
            self._wait_for(node, message, run, result, began)
        else:
            trace.worked += took - self._others  # Without those that it sent to, which worked meanwhile.
            self._release(run)
        self._others = others + took

    def _wait_for(
        self, node: AnyNode, message: Message, run: Run, work: Awaitable[None] | Pending, began: float = 0.0
    ) -> None:
        node.busy += 1
        if isinstance(work, Pending):
            self._pending += 1
            work.attach(partial(self._ended, node, message, run, began))
            return
        future = asyncio.ensure_future(work)  # A task's context is a copy of this one: it knows its run.
        self._working.add(future)

        def done(future: asyncio.Future[None]) -> None:
            self._working.discard(future)
            if future.cancelled() and not self._open:
                return  # The flow stops; its executions are ended by whoever stops it.
            self._pending += 1
            self._ended(node, message, run, began, None if future.cancelled() else future.exception())

        future.add_done_callback(done)

    def _ended(
        self, node: AnyNode, message: Message, run: Run, began: float, error: BaseException | None
    ) -> None:
        self._pending -= 1
        node.busy -= 1
        current_run.set(run)
        if run.traced:
            trace = run.trace(node.id)
            trace.worked += time.perf_counter() - began
            trace.under_way -= 1
        if error is not None:
            self.host.report(node, error, message)
        elif node.watched:
            self.host.completed(node, message)
        current_run.set(None)
        run.pending -= 1
        if not run.pending:
            self.host.end_run(run)
        if node.inbox and self._open:
            self._take(node)

    def _take(self, node: AnyNode) -> None:
        """Give a node what waits in its inbox, as far as it works on so many at once."""
        while node.inbox and node.busy < node.concurrency:
            message, run = node.inbox.popleft()
            self.waiting -= 1
            self._deliver(node, message, run)
        current_run.set(None)
        if self._rooms:
            self._wake()

    def _release(self, run: Run) -> None:
        run.pending -= 1
        if not run.pending:
            self.host.end_run(run)

    def _refuse(self, node: AnyNode, what: str, limit: int) -> None:
        node.dropped += 1
        now = time.monotonic()
        if now - self._told.get(node, 0.0) >= 1.0:
            self._told[node] = now
            self.host.report(
                node,
                f"{what} is full ({limit:,} messages): {node.dropped:,} dropped so far. "
                "Slow the source down, or make this node faster.",
                None,
            )

    def _schedule(self) -> None:
        if not self._scheduled and self._queue and self._open:
            self._scheduled = True
            self._loop.call_soon(self._drain)

    def _crowded(self, node: AnyNode) -> bool:
        if not self._open:
            return False
        if len(self._queue) > ROOMY:
            return True
        if not self.waiting:
            return False
        downstream = self._downstream.get(node)
        if downstream is None:
            downstream = self._downstream[node] = tuple(behind(node))
        return any(len(other.inbox) > ROOMY for other in downstream)

    def _wake(self) -> None:
        rooms, self._rooms = self._rooms, []
        for waiter in rooms:
            if not waiter.done():
                waiter.set_result(None)
