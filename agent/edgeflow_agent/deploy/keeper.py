"""Keeps the device's flows as the shadow desires them: plans, fetches, checks, deploys, and reports.

One pass at a time. What failed for a reason that passes (the network, a full disk) is tried again with growing pauses;
what cannot be is said once. While the device is locked nothing is changed, and each flow that waits says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import assert_never, cast

from edgeflow_protocol import DocumentError
from edgeflow_protocol.bundle import read_bundle
from edgeflow_protocol.shadow import Document, same

from ..link import CallFailed, NotThere
from ..state import StateError
from .deployer import Deployer
from .engine import FlowRefused
from .lock import UpdateLock
from .model import Origin
from .source import BundleSource
from .store import Release
from .trust import NotTrusted, Trust
from .wanted import Enable, Install, Remove, Step, Wanted, plan_flows, read_wanted

_log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_LOCK_LOOKS = 2.0
_MIRRORED = 16 * 1024


class FlowKeeper:
    """`want` is told what is desired; `run` makes it so until cancelled. `report` gets changes of `reported`."""

    def __init__(
        self,
        deployer: Deployer,
        trust: Trust,
        lock: UpdateLock,
        source: BundleSource,
        report: Callable[[Mapping[str, object]], None],
    ) -> None:
        self._deployer = deployer
        self._trust = trust
        self._lock = lock
        self._source = source
        self._report = report
        self._managed = False
        self._wanted: dict[str, Wanted] = {}
        self._refused: dict[str, str] = {}
        self._troubles: dict[str, str] = {}
        self._reported: Document = {}
        self._stale = False
        self._told = False
        self._news = asyncio.Event()
        self._pause = _FIRST_PAUSE

    def want(self, desired: object) -> None:
        """`desired` is the shadow's `flows`; None (no such key): flows are not the cloud's business."""
        self._managed = desired is not None
        self._wanted, self._refused = read_wanted(desired)
        self._pause = _FIRST_PAUSE
        self._news.set()

    def wake(self) -> None:
        """Something changed: look again, and report."""
        self._news.set()

    def refresh(self) -> None:
        """What flows see (variables, secrets) has changed: put them into the engine again."""
        self._stale = True
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._news.clear()
            pause = await self._pass()
            self.tell()
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                continue

    def tell(self) -> None:
        """Report what changed of `flows`."""
        now = self.describe()
        change: Document = {flow_id: None for flow_id in self._reported if flow_id not in now}
        change |= {
            flow_id: seen for flow_id, seen in now.items() if not same(seen, self._reported.get(flow_id))
        }
        if change or not self._told:
            self._told = True  # Also that there are none: then what the cloud has of earlier ones is old.
            # A key that went must be said to be gone: a merge keeps what is not named.
            for flow_id, seen in now.items():
                old = self._reported.get(flow_id)
                if flow_id in change and isinstance(old, dict) and isinstance(seen, dict):
                    gone: Document = {name: None for name in cast(Document, old) if name not in seen}
                    change[flow_id] = gone | cast(Document, seen)
            self._reported = now
            self._report({"flows": change})

    def describe(self) -> Document:
        """`reported.flows` as it is now."""
        flows: Document = {}
        for flow_id in {*self._deployer.flow_ids, *self._wanted, *(self._refused.keys() - {""})}:
            flows[flow_id] = self._describe(flow_id)
        return flows

    def _describe(self, flow_id: str) -> Document:
        status = self._deployer.status(flow_id)
        want = self._wanted.get(flow_id)
        trouble = self._refused.get(flow_id) or self._troubles.get(flow_id, "")
        if status is None:
            seen: Document = {"version": None, "status": "locked" if self._lock.locked else "pending"}
            if trouble and not self._lock.locked:
                seen["status"] = "failed"
        else:
            seen = {"version": status.version, "status": status.status, "enabled": status.enabled}
            trouble = trouble or status.error
            if status.origin is not Origin.DESIRED:
                seen["origin"] = str(status.origin)
        state = self._deployer.state(flow_id)
        if (
            want is not None
            and state is not None
            and state.newest is not None
            and state.newest.digest == want.digest
        ):
            # What is desired is here: mirrored, so that nothing of it differs any more.
            seen |= _mirror(want)
        elif want is not None and self._lock.locked:
            trouble = trouble or self._lock.sentence
        if trouble:
            seen["error"] = trouble
        return {name: value for name, value in seen.items() if value is not None}

    async def _pass(self) -> float | None:
        """Do what the plan says. Returns after how many seconds to look again, None: when something changes."""
        if self._stale:
            self._stale = False
            await self._deployer.refresh()
        steps = plan_flows(self._wanted, self._deployer.states) if self._managed else []
        if steps and self._lock.locked:
            return _LOCK_LOOKS
        again = False
        for step in steps:
            again |= not await self._perform(step)
        for flow_id in self._troubles.keys() - self._wanted.keys():
            del self._troubles[flow_id]
        if not again:
            self._pause = _FIRST_PAUSE
            return None
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return pause

    async def _perform(self, step: Step) -> bool:
        """Whether it is settled, well or not; False: try again later."""
        flow_id = step.wanted.flow_id if isinstance(step, Install) else step.flow_id
        try:
            match step:
                case Install(wanted):
                    release = await self._fetch(wanted)
                    await self._deployer.deploy(
                        flow_id, wanted.version, release, enabled=wanted.enabled, origin=Origin.DESIRED
                    )
                case Enable(_, enabled):
                    await self._deployer.set_enabled(flow_id, enabled)
                case Remove():
                    await self._deployer.remove(flow_id)
                case _:
                    assert_never(step)
        except FlowRefused as error:
            self._refuse(flow_id, "" if self._deployer.state(flow_id) else str(error))
            return True
        except (NotTrusted, DocumentError, NotThere) as error:
            self._refuse(flow_id, str(error))
            return isinstance(error, NotTrusted | DocumentError)
        except (CallFailed, StateError) as error:
            self._refuse(flow_id, str(error))
            return False
        self._troubles.pop(flow_id, None)
        return True

    def _refuse(self, flow_id: str, reason: str) -> None:
        if reason and self._troubles.get(flow_id) != reason:
            _log.error("Flow %s: %s", flow_id, reason)
        self._troubles[flow_id] = reason

    async def _fetch(self, wanted: Wanted) -> Release:
        """The release, checked. Raises NotTrusted, DocumentError, CallFailed."""
        if wanted.reference is None:
            release = Release((wanted.data or b"").decode())
            self._trust.check(release)
            return release
        release = await self._source.fetch(wanted.reference)
        bundle = release.bundle
        if (bundle.flow_id, bundle.version) != (wanted.flow_id, wanted.version):
            raise NotTrusted(
                f"The bundle holds the flow {bundle.flow_id}, version {bundle.version}; something else is desired."
            )
        return release


def _mirror(want: Wanted) -> Document:
    seen: Document = {}
    if want.reference is not None:
        found: dict[str, object] = {"sha256": want.reference.sha256, "signature": want.reference.signature}
        found["key_id"] = want.reference.key_id
        if want.reference.url:
            found["url"] = want.reference.url
        seen["bundle"] = found
    elif want.data is not None and len(want.data) <= _MIRRORED:
        seen["definition"] = read_bundle(want.data).definition
    return seen
