"""Codes as people type them, facts as devices send them, hardware as it is known again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, ProvisioningCodeId, TenantId
from edgeflow_cloud.provisioning.model import (
    ALPHABET,
    ProvisioningCode,
    clean_facts,
    hardware_key,
    hash_code,
    make_code,
    normalize_code,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEPPER = b"p" * 32


def code(**changes: object) -> ProvisioningCode:
    made = ProvisioningCode(
        tenant_id=TenantId(ids.new()),
        id=ProvisioningCodeId(ids.new()),
        hint="C3D4",
        name=None,
        tags=(),
        reclaim_window=timedelta(hours=24),
        created_at=NOW,
        created_by="usr_x",
        expires_at=NOW + timedelta(hours=24),
        used_at=NOW,
        device_id=DeviceId(ids.new()),
        hardware_key="aa:bb|Pi",
    )
    return replace(made, **changes)


def test_codes_look_as_published_and_are_unambiguous() -> None:
    for _ in range(200):
        made = make_code()
        prefix, one, two = made.split("-")
        assert prefix == "PROV"
        assert len(one) == len(two) == 4
        assert set(one + two) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    ["PROV-A1B0-C3D4", "prov-a1b0-c3d4", " PROV A1B0 C3D4 ", "A1B0C3D4", "PROV-AIBO-C3D4", "provalboc3d4"],
)
def test_a_code_is_read_as_it_was_meant(typed: str) -> None:
    assert normalize_code(typed) == "A1B0C3D4"
    assert hash_code(typed, PEPPER) == hash_code("PROV-A1B0-C3D4", PEPPER)


def test_the_hash_depends_on_the_installation() -> None:
    assert hash_code("PROV-A1B0-C3D4", PEPPER) != hash_code("PROV-A1B0-C3D4", b"q" * 32)


def test_hostile_texts_hash() -> None:
    for text in ["", "\ud800", "\0", "PROV", "x" * 100]:
        assert len(hash_code(text, PEPPER)) == 32


def test_facts_are_made_fit_to_keep() -> None:
    facts = clean_facts(
        {
            "board_model": "Raspberry Pi 4 Model B\0",
            "ram_mb": 3,
            "own": {"deep": ["a\0b"]},
            "half": "x\ud800y",
            "bad\ud800": {"half": "\ud800"},
            "long": "x" * 5_000,
            "tree": ["x" * 3_000],
            "\0": 1,
            "infinite": float("inf"),
        }
    )
    assert facts["board_model"] == "Raspberry Pi 4 Model B"
    assert facts["own"] == {"deep": ["ab"]}
    assert facts["half"] == "x?y"
    assert facts["long"] == "x" * 512
    assert facts["infinite"] is None
    assert set(facts) == {"board_model", "ram_mb", "own", "half", "long", "infinite"}
    assert len(clean_facts({str(number): number for number in range(1_000)})) == 64


@pytest.mark.parametrize(
    ("board", "mac", "key"),
    [
        ("Pi", "AA:BB:CC:DD:EE:FF", "aa:bb:cc:dd:ee:ff|Pi"),
        ("Pi", "aa-bb-cc-dd-ee-ff ", "aa:bb:cc:dd:ee:ff|Pi"),
        (None, "aa:bb", "aa:bb|"),
        ("Pi", None, None),
        ("Pi", "", None),
        ("Pi", "00:00:00:00:00:00", None),
        ("Pi", 7, None),
    ],
)
def test_hardware_is_known_by_mac_and_board(board: object, mac: object, key: str | None) -> None:
    assert hardware_key({"board_model": board}, {"mac_address": mac}) == key


def test_the_window_is_open_until_the_device_negotiated_and_a_day() -> None:
    used = code()
    assert used.may_reclaim("aa:bb|Pi", None, NOW + timedelta(days=14))
    assert used.may_reclaim("aa:bb|Pi", NOW, NOW + timedelta(hours=23))
    assert not used.may_reclaim("aa:bb|Pi", NOW, NOW + timedelta(hours=24))
    assert not used.may_reclaim("aa:bc|Pi", None, NOW)
    assert not used.may_reclaim(None, None, NOW)
    assert not code(hardware_key=None).may_reclaim(None, None, NOW)
    assert not code(device_id=None).may_reclaim("aa:bb|Pi", None, NOW)
