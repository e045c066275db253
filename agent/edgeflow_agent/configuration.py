"""How the agent reaches its cloud: the environment, and over it what a person changed through the local API.

The newest statement wins: a stored change stands until somebody edits the variable it replaced. Secrets are
never stored here (a key goes to the vault); of a variable only a fingerprint is kept, to see that it was
edited.
"""

from __future__ import annotations

import hashlib
import logging

import msgspec

from .settings import Settings, SettingsError, parse_address
from .state import StateFolder

_log = logging.getLogger(__name__)
_FILE = "config.json"


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of `PUT saas/config`: what is absent stays as it is."""

    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    server_url: str | msgspec.UnsetType = msgspec.UNSET
    device_id: str | msgspec.UnsetType = msgspec.UNSET
    api_key: str | msgspec.UnsetType = msgspec.UNSET
    provisioning_code: str | msgspec.UnsetType = msgspec.UNSET
    enable_tls: bool | msgspec.UnsetType = msgspec.UNSET


class _Override(msgspec.Struct, frozen=True):
    value: bool | str
    replaced: str
    """Fingerprint of the environment's value when the change was made."""


class CloudConfig(msgspec.Struct, frozen=True):
    """What counts now. `server_url` is `host:port` or empty."""

    enabled: bool
    server_url: str
    enable_tls: bool
    provisioning_code: str

    @property
    def usable(self) -> bool:
        """Whether there is a cloud to talk to."""
        return self.enabled and bool(self.server_url)


class Configuration:
    """The current `CloudConfig`; `change` makes a new one durable before it counts."""

    def __init__(self, settings: Settings, folder: StateFolder) -> None:
        self._folder = folder
        self._environment: dict[str, bool | str] = {
            "enabled": settings.enabled,
            "server_url": settings.server_url,
            "enable_tls": settings.enable_tls,
            "provisioning_code": settings.provisioning_code,
        }
        self._overrides = self._load()
        self.current = self._combine()

    def change(self, change: Change) -> CloudConfig:
        """Merge the given fields, durably. Raises SettingsError (nothing changed) or StateError (nothing
        changed).
        """
        given: dict[str, bool | str] = {}
        for name in self._environment:
            value: bool | str | msgspec.UnsetType = getattr(change, name)
            if value is not msgspec.UNSET:
                given[name] = value.strip() if isinstance(value, str) else value
        server_url = given.get("server_url")
        if isinstance(server_url, str) and server_url:
            parse_address("server_url", server_url)
        code = given.get("provisioning_code")
        if isinstance(code, str) and (len(code) > 128 or not code.isprintable()):
            raise SettingsError("provisioning_code is not a provisioning code. It looks like PROV-A1B2-C3D4.")
        if not given:
            return self.current
        merged = self._overrides | {
            name: _Override(value, _fingerprint(self._environment[name])) for name, value in given.items()
        }
        self._folder.write(_FILE, msgspec.json.encode(merged))
        self._overrides = merged
        self.current = self._combine()
        return self.current

    def _load(self) -> dict[str, _Override]:
        stored = self._folder.read(_FILE)
        if stored is None:
            return {}
        try:
            overrides = msgspec.json.decode(stored, type=dict[str, _Override])
        except msgspec.DecodeError as error:
            broken = self._folder.set_aside(_FILE)
            _log.error(
                "The stored configuration cannot be read (%s); it is now %s and is not used.", error, broken
            )
            return {}
        return {
            name: override
            for name, override in overrides.items()
            if name in self._environment
            and type(override.value) is type(self._environment[name])
            and override.replaced == _fingerprint(self._environment[name])
        }

    def _combine(self) -> CloudConfig:
        values = self._environment | {name: override.value for name, override in self._overrides.items()}
        return msgspec.convert(values, CloudConfig)


def _fingerprint(value: bool | str) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
