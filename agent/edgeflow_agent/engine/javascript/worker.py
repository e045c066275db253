# pyright: basic
"""The process that runs a flow's function nodes. It imports nothing of ours: it must start fast and stay small.

Frames, both ways: length of the body (4 bytes), kind (1), node (4), number of the message (4), body (JSON text).
In: L load a node, M a message (m: with buffers), C a context changed, X unload, P are you there.
Out: R its outputs (B: with buffers), N nothing, P will answer later, E it failed, S outputs in between (b: with
buffers), D done, T status, W a log line, Q an error that the code reports, K a context changed, I loaded, J could not
be loaded, X unloaded, A am there.
"""

from __future__ import annotations

import heapq
import json
import os
import select
import struct
import sys
import time

HEADER = struct.Struct("<IcII")
FLUSH = 1 << 12  # Small enough for both processes to work at the same time.


class Script:
    """One node: its own QuickJS context."""

    def __init__(self, memory: int, seconds: float, prelude: str) -> None:
        import _quickjs

        self.error = _quickjs.JSException
        self.context = context = _quickjs.Context()
        context.set_memory_limit(memory)
        context.set_max_stack_size(512 * 1024)
        context.eval(prelude)
        context.set_time_limit(seconds)
        self.call = context.get("__call")
        self.drain = context.get("__drain")
        self.asynchronous = False


class Worker:
    """Reads frames, runs scripts, writes frames."""

    def __init__(self, descriptor: int, prelude: str) -> None:
        self.descriptor = descriptor
        self.prelude = prelude
        self.scripts: dict[int, Script] = {}
        self.out: list[bytes] = []
        self.size = 0
        self.timers: list[tuple[float, int, int]] = []

    def run(self) -> None:
        """Until the other side closes."""
        buffer = bytearray()
        while True:
            wait = max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else None
            if wait is not None:
                ready, _, _ = select.select([self.descriptor], [], [], wait)
                self.fire_timers()
                if not ready:
                    self.flush()
                    continue
            data = os.read(self.descriptor, 1 << 18)
            if not data:
                return
            buffer += data
            at, end = 0, len(buffer)
            while end - at >= 13:
                length, kind, node, seq = HEADER.unpack_from(buffer, at)
                if end - at - 13 < length:
                    break
                text = buffer[at + 13 : at + 13 + length].decode()
                at += 13 + length
                self.handle(kind, node, seq, text)
                if self.size > FLUSH:
                    self.flush()
            del buffer[:at]
            self.flush()

    def handle(self, kind: bytes, node: int, seq: int, text: str) -> None:
        if kind == b"M" or kind == b"m":
            self.message(node, seq, text, kind == b"m")
        elif kind == b"C":
            script = self.scripts.get(node)
            if script is not None:
                script.context.get("__remember")(text)
        elif kind == b"L":
            self.load(node, text)
        elif kind == b"X":
            script = self.scripts.pop(node, None)
            if script is not None:
                try:
                    self.carry(node, script.context.get("__close")())
                except script.error as error:
                    self.put(b"W", node, 0, json.dumps(["warning", f"its close code failed: {error}"]))
            self.put(b"X", node, 0, "")
        elif kind == b"P":
            self.put(b"A", 0, seq, "")

    def message(self, node: int, seq: int, text: str, revive: bool) -> None:
        script = self.scripts.get(node)
        if script is None:
            self.put(b"E", node, seq, '["The function is not loaded.",""]')
            return
        try:
            result = script.call(seq, text, revive)
            if script.asynchronous or result[:1] == "[":
                self.finish_jobs(script)
        except script.error as error:
            self.recover(script, node)
            self.put(b"E", node, seq, json.dumps(explain(error)))
            return
        first = result[:1]
        if first == "R" or first == "B" or first == "N":
            self.put(first.encode(), node, seq, result[1:])
        else:
            answered = self.carry(node, result, seq)
            if script.asynchronous:
                answered |= self.carry(node, script.drain(), seq)
            if not answered:
                self.put(b"N", node, seq, "")

    def finish_jobs(self, script: Script) -> None:
        """Run what promises left to do."""
        while script.context.execute_pending_job():
            script.asynchronous = True

    def carry(self, node: int, text: str, seq: int = 0) -> bool:
        """Pass on what a script has put out; True if that answers message `seq`, or will later."""
        if not text:
            return False
        buffers, entries = json.loads(text)
        answered = False
        for kind, number, body in entries:
            if kind == "Z":
                timer, wait = json.loads(body)
                heapq.heappush(self.timers, (time.monotonic() + wait / 1000, node, timer))
                continue
            if number == seq and kind in "RPE":
                answered = True
            if kind == "P":
                self.scripts[node].asynchronous = True
            if buffers and kind in "RS":
                kind = {"R": "B", "S": "b"}[kind]
            self.put(kind.encode(), node, number, body)
        return answered

    def recover(self, script: Script, node: int) -> None:
        """After an error: what was put out before it still counts."""
        try:
            self.carry(node, script.drain())
        except script.error:
            self.put(b"W", node, 0, '["warning","what the function did before it failed is lost"]')

    def fire_timers(self) -> None:
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, node, timer = heapq.heappop(self.timers)
            script = self.scripts.get(node)
            if script is None:
                continue
            try:
                self.carry(node, script.context.get("__fire")(timer))
                self.finish_jobs(script)
                self.carry(node, script.drain())
            except script.error as error:
                self.recover(script, node)
                self.put(b"Q", node, 0, json.dumps([explain(error)[0], None]))

    def load(self, node: int, text: str) -> None:
        given = json.loads(text)
        try:
            script = Script(given["memory"], given["seconds"], self.prelude)
        except Exception as error:
            self.put(b"J", node, 0, json.dumps([f"QuickJS did not start: {error}", ""]))
            return
        self.scripts[node] = script
        try:
            result = script.context.get("__load")(json.dumps(given["script"]))
            self.finish_jobs(script)
        except script.error as error:
            self.recover(script, node)
            del self.scripts[node]
            self.put(b"J", node, 0, json.dumps(explain(error)))
            return
        self.carry(node, result)
        self.carry(node, script.drain())

    def put(self, kind: bytes, node: int, seq: int, text: str) -> None:
        body = text.encode(errors="surrogatepass") if text else b""
        self.out.append(HEADER.pack(len(body), kind, node, seq))
        self.out.append(body)
        self.size += len(body) + 13

    def flush(self) -> None:
        if not self.out:
            return
        view = memoryview(b"".join(self.out))
        self.out, self.size = [], 0
        while view:
            view = view[os.write(self.descriptor, view) :]


def explain(error: Exception) -> list[str]:
    """The first line of what QuickJS says, and where."""
    text = str(error).strip()
    first, _, rest = text.partition("\n")
    if "interrupted" in first:
        first = "the code ran longer than its time limit"
    elif "out of memory" in first or first == "null":
        first = "the code used more memory than its limit"
    return [first, rest]


def main() -> None:
    descriptor, folder, sandbox, prelude = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    sys.path.append(folder)
    with open(prelude, encoding="utf-8") as file:
        source = file.read()
    import _quickjs  # noqa: F401  # pyright: ignore[reportUnusedImport]  before the walls go up

    namespace: dict[str, object] = {"__name__": "confine"}
    with open(sandbox, encoding="utf-8") as file:
        exec(compile(file.read(), sandbox, "exec"), namespace)  # noqa: S102  our own file, see sandbox/confine.py
    namespace["confine_script"](int(sys.argv[5]))  # type: ignore[operator]
    Worker(descriptor, source).run()


if __name__ == "__main__":
    main()
