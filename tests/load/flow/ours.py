"""Runs S10's flow in our engine: `python -m tests.load.flow.ours SECONDS [js]` prints messages/s and memory as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import psutil

import edgeflow_agent.app  # noqa: F401  # pyright: ignore[reportUnusedImport]  memory is that of the whole agent
from edgeflow_agent.engine import Engine, Message, Node, NodeConfig
from tests.load.flow.given import FIRST, WINDOW, flow
from tests.load.flow.given import message as make


class Sink(Node[NodeConfig]):
    """Counts, and sends the next one in."""

    type = "s10-sink"
    outputs = 0
    count = 0
    last: Message | None = None

    def forward(self, message: Message) -> None:
        Sink.count += 1
        Sink.last = message
        number = Sink.count + WINDOW
        self.lane.host.inject(FIRST, make(number))  # type: ignore[attr-defined]


async def main(seconds: float, javascript: bool) -> None:
    engine = Engine()
    engine.registry.add(Sink)
    await engine.deploy({"flows": flow(javascript)})
    await engine.start("tab")
    for number in range(WINDOW):
        engine.inject("tab", FIRST, make(number))
    await asyncio.sleep(min(1.0, seconds / 3))
    began, before, spent = time.perf_counter(), Sink.count, time.process_time()
    await asyncio.sleep(seconds)
    rate = (Sink.count - before) / (time.perf_counter() - began)
    cpu = (Sink.count - before) / (time.process_time() - spent)
    process = psutil.Process()
    family = [process, *process.children(recursive=True)]
    sizes = [each.memory_info().rss / 1e6 for each in family]
    print(json.dumps({"rate": rate, "cpu_rate": cpu, "rss": sizes, "payload": Sink.last and Sink.last["payload"],
                      "failed": engine.totals().executions_failed}))  # fmt: skip
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), "js" in sys.argv[2:]))
