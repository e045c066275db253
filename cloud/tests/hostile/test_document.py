"""Every operation of the OpenAPI document, called as it allows and as it does not: no 5xx, nothing undocumented.

schemathesis makes the calls, always the same ones. EDGEFLOW_FUZZ multiplies their number: with 9 it is a long run, of
54 calls an operation as it allows and 54 as it does not.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Sequence

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cloud.tests.hostile.conftest import Target
from edgeflow_cloud.devices import service as devices_service
from edgeflow_cloud.kernel.errors import Problem
from tools import openapi

FUZZ = float(os.environ.get("EDGEFLOW_FUZZ", "1"))
EXAMPLES = int(6 * FUZZ)
"""Calls of each operation as it allows, and as many as it does not: about 40 s of one core in all."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LAST = ("leave", "logout", "delete_organization", "transfer")
"""Operations that leave little behind come last."""


class Hunt:
    """Calls every operation in a thread of its own; `found` holds one sentence for each kind of failure."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.trust_env = False
        self.found: dict[str, str] = {}
        self.calls = 0
        self._dice = random.Random(5)
        self.statuses: dict[int, int] = {}
        self.seconds: dict[str, float] = {}

    def run(self, only: Sequence[str] = ()) -> None:
        """Try all operations, or those with these ids."""
        for operation in operations():
            if only and _id(operation) not in only:
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._try(operation, mode)

    def _try(self, operation: APIOperation, mode: GenerationMode) -> None:
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: Case) -> None:
            self._call(case, mode)

        began = time.monotonic()
        try:
            attempt()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # there is nothing that it could refuse
        self.seconds[f"{operation.label} {mode.value}"] = round(time.monotonic() - began, 2)

    def _call(self, case: Case, mode: GenerationMode) -> None:
        self.calls += 1
        for name in case.path_parameters or {}:  # things that are there, more often than not
            if name in self._target.names and self._dice.random() < (
                0.7 if mode is GenerationMode.POSITIVE else 0.4
            ):
                case.path_parameters[name] = self._target.names[name]
        headers = self._dice.choices(self._target.callers, (16, 3, 1))[0]
        answer = case.call(base_url=self._target.url, session=self._session, headers=headers, timeout=30)
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                key = f"{case.operation.label} {answer.status_code} {type(failure).__name__}"
                said = f"{key}: {failure}\n{answer.content[:400]!r}\n{case.as_curl_command(headers)[:1500]}"
                self.found.setdefault(key, said)


def operations() -> list[APIOperation]:
    """All of them, in an order that leaves something to be found."""
    schema = schemathesis.openapi.from_dict(json.loads(openapi.render()))
    found = [result.ok() for result in schema.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
    return sorted(found, key=lambda item: (any(word in _id(item) for word in LAST), item.method == "delete"))


def _id(operation: APIOperation) -> str:
    return str(operation.definition.raw.get("operationId", ""))


@pytest.mark.slow
@pytest.mark.timeout(600 * max(1, FUZZ))
async def test_no_call_is_answered_otherwise_than_documented(target: Target) -> None:
    hunt = Hunt(target)
    began = time.monotonic()
    await asyncio.to_thread(hunt.run)
    slowest = sorted(hunt.seconds.items(), key=lambda item: -item[1])[:8]
    seconds = f"{time.monotonic() - began:.0f} s"
    said = sorted(hunt.statuses.items()), slowest
    print(f"{hunt.calls} calls of {len(operations())} operations, {seconds}, {said}")
    assert not hunt.found, "\n\n".join(hunt.found.values())
    assert hunt.calls > 500
    assert hunt.statuses.get(200, 0) > 50


async def test_a_fault_and_an_undocumented_status_are_seen(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    async def brew(*_: object, **__: object) -> None:
        raise Problem("I am a teapot.", status=418)

    monkeypatch.setattr(devices_service, "list_devices", fail)
    monkeypatch.setattr(devices_service, "create_device", brew)
    hunt = Hunt(target)
    await asyncio.to_thread(hunt.run, ["list_devices", "create_device"])
    assert {key.split(" ", 2)[2] for key in hunt.found} >= {"500 ServerError", "418 UndefinedStatusCode"}
