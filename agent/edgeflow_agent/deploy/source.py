"""Where signed flows come from: the address that was given, or the device's own cloud."""

from __future__ import annotations

import asyncio
import logging
import urllib.parse
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from edgeflow_protocol.bundle import MAX_BUNDLE_BYTES, BundleReference, FlowKey, digest, read_bundle

from ..link import CallFailed, NotThere, Target, download
from ..state import StateError
from .store import Release
from .trust import NotTrusted, Trust, UnknownKey

_log = logging.getLogger(__name__)


class BundleSource:
    """`target` is the cloud as whom the device speaks to it, None while there is none."""

    def __init__(self, trust: Trust, target: Callable[[], Target | None]) -> None:
        self._trust = trust
        self._target = target

    async def fetch(self, reference: BundleReference) -> Release:
        """The release, checked before anything is written. Raises NotTrusted, DocumentError, CallFailed."""
        try:
            data = await self._download(reference.url or await self._locate(reference.sha256))
        except NotThere:
            # Addresses end after a time; the cloud gives its own device a new one.
            data = await self._download(await self._locate(reference.sha256))
        if digest(data) != reference.sha256.lower():
            raise NotTrusted("What was downloaded is not what was announced: its SHA-256 is another.")
        try:
            release = Release(data.decode(), reference.signature, reference.key_id)
        except UnicodeDecodeError as error:
            raise NotTrusted("The bundle is not UTF-8 text.") from error
        try:
            self._trust.check(release)
        except UnknownKey:
            await self.follow_keys()
            self._trust.check(release)
        read_bundle(data)
        return release

    async def follow_keys(self) -> None:
        """Ask the cloud for its keys, and follow those that may be followed. What cannot be asked is only noted."""
        try:
            found = await self._ask("flow-keys")
            keys = msgspec.convert(found.get("flow_keys") or [], list[FlowKey])
            refused = await asyncio.to_thread(self._trust.follow, keys)
        except NotThere:
            return  # A cloud that signs nothing.
        except (CallFailed, msgspec.ValidationError, StateError) as error:
            _log.warning("The keys that sign flows could not be taken from the cloud: %s", error)
            return
        for key in refused:
            _log.error(
                "The cloud names the flow key %s, which no pinned key endorses; it is not believed. If the "
                "organization's key was replaced by hand, provision the device again.",
                key.key_id,
            )

    async def _download(self, url: str) -> bytes:
        """From that address; or, when it cannot be reached, from the cloud as this device knows it: people name a cloud
        by addresses that devices may not see, and its objects come through the same port."""
        try:
            return await download(url, limit=MAX_BUNDLE_BYTES)
        except NotThere:
            raise
        except CallFailed:
            target, parts = self._target(), urllib.parse.urlsplit(url)
            if target is None or not parts.path.startswith("/blobs/"):
                raise
            scheme = "http" if target.rest.tls is None else "https"
            own = urllib.parse.urlunsplit((scheme, target.rest.authority, parts.path, parts.query, ""))
            if own == url:
                raise
            return await download(own, limit=MAX_BUNDLE_BYTES)

    async def _locate(self, sha256: str) -> str:
        url = (await self._ask(f"flow-bundles/{sha256.lower()}")).get("url")
        if not isinstance(url, str):
            raise CallFailed("The cloud answered without an address for the flow.")
        return url

    async def _ask(self, what: str) -> Mapping[str, object]:
        target = self._target()
        if target is None:
            raise CallFailed("The device has no cloud to ask for the flow.")
        answer = await target.rest.call(
            "GET", f"/api/v1/devices/{target.device_id}/{what}", api_key=target.api_key
        )
        if answer.status in (404, 410):
            raise NotThere(f"The cloud does not have the flow: {answer.error}")
        if answer.status != 200:
            raise CallFailed(f"The cloud was asked for the flow: {answer.error}")
        return cast("Mapping[str, object]", answer.object)
