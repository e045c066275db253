"""The device's credentials: where they come from, in which order, and when they count.

1. `EDGEFLOW_DEVICE_ID` with `EDGEFLOW_API_KEY`, unless a person replaced them later. 2. The vault. 3. A
provisioning code. What a code gave counts once it is on the disk: a process that dies before shows the same
code again and gets the same device back.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from collections.abc import Callable, Sequence

import msgspec

from edgeflow_protocol.bundle import FlowKey

from ..configuration import Configuration
from ..link import CloudRest, NotReady, Target
from ..settings import Settings, SettingsError
from ..state import Credentials, StateError, StoreUnreadable, Vault
from .claim import ClaimFailed, ClaimRefused, claim

_log = logging.getLogger(__name__)


class Identity:
    """Answers the tunnel's question: where to, and as whom?"""

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        vault: Vault,
        pin: Callable[[Sequence[FlowKey]], None] | None = None,
    ) -> None:
        """`pin` keeps the keys that sign the device's flows, before its credentials count."""
        self._pin = pin
        self._configuration = configuration
        self._vault = vault
        self._fixed = Credentials(settings.device_id, settings.api_key) if settings.device_id else None
        self._stored: Credentials | None = None
        self._refused: dict[str, str] = {}
        self._claiming = asyncio.Lock()
        self._rest: CloudRest | None = None

    def load(self) -> None:
        """Read the vault once, at start. A store that does not open is set aside and said; raises StateError
        on disk.
        """
        try:
            self._stored = self._vault.load()
        except StoreUnreadable as error:
            broken = self._vault.set_aside()
            _log.error("%s The store is now %s.", error, broken)
        if (
            self._stored is not None
            and self._fixed is not None
            and self._stored.replaced == _print_of(self._fixed)
        ):
            self._fixed = (
                None  # These variables were replaced later, by a person, and have not been edited since.
            )

    @property
    def credentials(self) -> Credentials | None:
        """Who this device is now; None while it is nobody yet."""
        return self._fixed or self._stored

    def rest(self) -> CloudRest:
        """The cloud as configured now. Raises NotReady when none is."""
        config = self._configuration.current
        if not config.server_url:
            raise NotReady("unconfigured", "No cloud is configured. Set EDGEFLOW_SAAS_URL to its host:port.")
        rest = self._rest
        if rest is None or rest.authority != config.server_url or (rest.tls is not None) != config.enable_tls:
            try:
                rest = self._rest = CloudRest(config.server_url, tls=config.enable_tls)
            except (OSError, ssl.SSLError) as error:
                raise NotReady("unconfigured", f"TLS cannot be used here: {error}.") from error
        return rest

    async def identify(self) -> Target:
        """The target of the tunnel, provisioning first if need be. Raises NotReady with what is missing."""
        config = self._configuration.current
        if not config.enabled:
            raise NotReady(
                "disabled", "The cloud is turned off here. Set EDGEFLOW_SAAS_ENABLED=true to use it."
            )
        rest = self.rest()
        credentials = self.credentials
        if credentials is None:
            code = config.provisioning_code
            if not code:
                raise NotReady(
                    "unprovisioned",
                    "This device has no credentials. Make a code in the console (Devices, Add device) "
                    "and give it "
                    "with: edgeflow-agent provision CODE.",
                )
            if code in self._refused:
                raise NotReady("refused", self._refused[code])
            credentials = await self._claim_first(code)
        return Target(rest, credentials.device_id, credentials.api_key)

    async def provision(self, code: str) -> Credentials:
        """Take this code now, whoever the device was before. Raises ClaimRefused, ClaimFailed, NotReady or
        StateError.
        """
        async with self._claiming:
            claimed = await claim(self.rest(), code)
            await self._keep(claimed.credentials, claimed.flow_keys)
            self._refused.pop(code, None)
            return claimed.credentials

    async def adopt(self, device_id: str, api_key: str) -> None:
        """Credentials that a person gave: durable, then they count. Raises SettingsError or StateError."""
        for name, value in (("device_id", device_id), ("api_key", api_key)):
            if not value or len(value) > 256 or not value.isascii() or not value.isprintable():
                raise SettingsError(f"{name} must be 1 to 256 printable characters.")
        async with self._claiming:
            await self._keep(Credentials(device_id, api_key), None)

    async def _claim_first(self, code: str) -> Credentials:
        async with self._claiming:
            if self.credentials is not None:  # A person provisioned while we waited for our turn.
                return self.credentials
            _log.info("Provisioning at %s.", self.rest().authority)
            try:
                claimed = await claim(self.rest(), code)
            except ClaimRefused as error:
                self._refused = {code: str(error)}
                raise NotReady("refused", str(error)) from error
            except ClaimFailed as error:
                raise NotReady(
                    "provisioning", str(error), retry=True, retry_after=error.retry_after
                ) from error
            try:
                await self._keep(claimed.credentials, claimed.flow_keys)
            except StateError as error:
                # The code can be shown again: the same device comes back once the disk takes the key.
                raise NotReady("provisioning", str(error), retry=True) from error
            return claimed.credentials

    async def _keep(self, credentials: Credentials, keys: Sequence[FlowKey] | None) -> None:
        """Keys first: a device that dies in between shows its code again, and pins them again."""
        if keys is not None and self._pin is not None:
            await asyncio.to_thread(self._pin, keys)
        if self._fixed is not None:
            credentials = msgspec.structs.replace(credentials, replaced=_print_of(self._fixed))
        elif self._stored is not None:
            credentials = msgspec.structs.replace(credentials, replaced=self._stored.replaced)
        await asyncio.to_thread(self._vault.save, credentials)
        self._stored = credentials
        self._fixed = None
        _log.info("Provisioned as %s.", credentials.device_id)

    def forget_refusals(self) -> None:
        """A person asked to try again: a refused code gets another chance."""
        self._refused.clear()


def _print_of(credentials: Credentials) -> str:
    return hashlib.sha256(f"{credentials.device_id}\0{credentials.api_key}".encode()).hexdigest()[:16]
