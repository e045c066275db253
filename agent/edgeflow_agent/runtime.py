"""Everything that runs flows on this device, put together: engine, slots, trust, pins, and the plan that keeps them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

from .deploy import BundleSource, Deployer, FlowKeeper, FlowStore, Trial, Trust, UpdateLock
from .deploy.builtin import BuiltinEngine
from .effects import DeviceEffects
from .engine import Engine, Event, FlowChanged, Kind
from .flows import Flows
from .link import Target
from .pins import Pins
from .state import StateFolder, Vault

_log = logging.getLogger(__name__)


class FlowRuntime:
    """One per agent. `told` gets every engine event, `happened(level, code, message, flow_id)` what people should see,
    `report` what changes of the shadow's `reported`."""

    def __init__(
        self,
        folder: StateFolder,
        vault: Vault,
        pins: Pins,
        *,
        allow_unsigned: bool,
        target: Callable[[], Target | None],
        report: Callable[[Mapping[str, object]], None],
        happened: Callable[[str, str, str, str], None],
        told: Callable[[Event], None],
        trial: Trial | None = None,
    ) -> None:
        self.pins = pins
        self.effects = DeviceEffects(pins)
        self.trust = Trust(vault, allow_unsigned=allow_unsigned)
        self.lock = UpdateLock(folder)
        self.engine = Engine(folder, environment=lambda: self.effects.variables, pins=pins)
        self._told = told
        self._watching: asyncio.Task[None] | None = None
        runner = BuiltinEngine(self.engine)
        self.deployer = Deployer(
            FlowStore(folder),
            runner,
            changed=self._changed,
            happened=happened,
            trial=trial,
        )
        self.source = BundleSource(self.trust, target)
        self.keeper = FlowKeeper(self.deployer, self.trust, self.lock, self.source, report)
        self.flows = Flows(self.deployer, runner, self.engine, self.trust, self.lock, self.source)

    def load(self) -> None:
        """Read what is on the disk. Raises StateError."""
        self.trust.load()
        self.deployer.load()

    async def run(self, *, autostart: bool) -> None:
        """Flows first, then what is desired of them; until cancelled."""
        listening = asyncio.create_task(self._listen("execution", "log", "flow"), name="engine events")
        try:
            await self.deployer.boot(autostart=autostart)
            self.effects.serve(self.keeper)
            await self.keeper.run()
        finally:
            self.watch(0)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def close(self) -> None:
        """Stop flows in good order, a few seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(15):
                await self.deployer.close()
                await self.engine.close()

    def _changed(self, flow_id: str) -> None:
        del flow_id
        self.keeper.wake()

    def watch(self, watchers: int) -> None:
        """So many watch live: debug values and statuses are made only for them."""
        if watchers and self._watching is None:
            self._watching = asyncio.create_task(self._listen("debug", "status"), name="live events")
        elif not watchers and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _listen(self, *kinds: Kind) -> None:
        subscription = self.engine.subscribe(*kinds)
        try:
            async for event in subscription:
                if isinstance(event, FlowChanged):
                    self.keeper.wake()
                try:
                    self._told(event)
                except Exception:
                    _log.exception("An event of a flow could not be told.")
        finally:
            subscription.close()
