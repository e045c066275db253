"""Loading settings, with what a person wants to know: origins, misspelt names, errors as sentences."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edgeflow_cloud.infra.secrets import STARS, Secret, Secrets
from edgeflow_cloud.infra.settings import PREFIX, Settings

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT_FILE = Path("edgeflow.toml")
_AGENT_PREFIXES = (f"{PREFIX}SAAS_", f"{PREFIX}AGENT_")
_AGENT_NAMES = {
    f"{PREFIX}{name}"
    for name in ("DEVICE_ID", "API_KEY", "PROVISIONING_CODE", "SERVER_HOST", "SERVER_PORT", "API_TOKEN")
}
Origin = Literal["default", "environment", "file", "derived"]


class BadSettings(Exception):
    """Settings that cannot be used; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, where each came from, and sentences about what looks like a mistake."""

    settings: Settings
    origins: dict[str, Origin]
    warnings: list[str]
    file: Path | None

    def secrets(self) -> Secrets:
        """The secrets that belong to these settings."""
        return Secrets(
            self.settings.data_dir.absolute() / "secrets",
            jwt_key=self.settings.jwt_key,
            master_key=self.settings.master_key,
            jwt_old_keys=self.settings.jwt_old_keys,
            master_old_keys=self.settings.master_old_keys,
            audit_key=self.settings.audit_key,
            audit_old_keys=self.settings.audit_old_keys,
        )


def load(environment: Mapping[str, str] | None = None) -> Loaded:
    """Read environment and file. Raises BadSettings."""
    environment = os.environ if environment is None else environment
    file, values = _read_file(environment)
    settings = _build(environment, values)
    present = {name.upper() for name in environment}
    origins: dict[str, Origin] = {}
    for name in Settings.model_fields:
        if f"{PREFIX}{name.upper()}" in present:
            origins[name] = "environment"
        elif name in values:
            origins[name] = "file"
        else:
            origins[name] = "derived" if name == "public_url" else "default"
    return Loaded(settings, origins, _misspelt(environment) + _misspelt_keys(values, file), file)


def shown(value: object) -> str:
    """A setting's value as `config` prints it: secrets as stars, but an address still readable."""
    if isinstance(value, Secret):
        parts = urlsplit(value.reveal())
        if not parts.scheme or not parts.netloc:
            return STARS
        user = f"{parts.username or ''}:{STARS}@" if parts.password else ""
        return parts._replace(netloc=user + parts.netloc.rpartition("@")[2]).geturl()
    if value is None or value == ():
        return "unset"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)


def _read_file(environment: Mapping[str, str]) -> tuple[Path | None, dict[str, object]]:
    named = environment.get(CONFIG_VARIABLE)
    path = Path(named) if named else DEFAULT_FILE
    try:
        return path, dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if named:
            raise BadSettings([f"{CONFIG_VARIABLE} names {path}, which does not exist."]) from None
        return None, {}
    except (OSError, ValueError) as error:
        raise BadSettings([f"The file {path} cannot be read: {error}."]) from error


def _build(environment: Mapping[str, str], values: dict[str, object]) -> Settings:
    # Every field is given, so that nothing but `environment` and the file is looked at.
    given: dict[str, object] = {name: field.get_default() for name, field in Settings.model_fields.items()}
    given |= {name: value for name, value in values.items() if name in given}
    upper = {name.upper(): value for name, value in environment.items()}
    for name in Settings.model_fields:
        variable = f"{PREFIX}{name.upper()}"
        if variable in upper:
            given[name] = upper[variable]
    try:
        return Settings(**given)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        raise BadSettings([_sentence(detail) for detail in error.errors(include_url=False)]) from None


def _sentence(detail: ErrorDetails) -> str:
    if not detail["loc"]:
        return f"{detail['msg'].removeprefix('Value error, ')}."
    name = str(detail["loc"][0])
    value = detail["input"]
    # A value that is or holds a password is not repeated, however wrong it is.
    keys = ("jwt_key", "master_key", "audit_key")
    secret = isinstance(value, Secret) or name in keys or name.endswith(("_keys", "_url"))
    said = "" if secret or value is None else f" is {value!r} but"
    return f"{PREFIX}{name.upper()}{said} {_reason(detail)}."


def _reason(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "int_parsing" | "int_type" | "int_from_float":
            return "must be a whole number"
        case "bool_parsing" | "bool_type":
            return "must be on or off"
        case "enum" | "literal_error":
            return f"must be {detail.get('ctx', {}).get('expected', 'one of its values')}"
        case "greater_than_equal" | "less_than_equal":
            return "must be between 0 and 65535"
        case _:
            return detail["msg"].removeprefix("Value error, ").rstrip(".")


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE} | _AGENT_NAMES
    return [
        f"{name} is not a setting of edgeflow-cloud and is ignored{_did_you_mean(name, known)}"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known and not name.startswith(_AGENT_PREFIXES)
    ]


def _misspelt_keys(values: Mapping[str, object], file: Path | None) -> list[str]:
    known = set(Settings.model_fields)
    return [
        f"{key!r} in {file} is not a setting and is ignored{_did_you_mean(key, known)}"
        for key in sorted(values)
        if key not in known
    ]


def _did_you_mean(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else "."
