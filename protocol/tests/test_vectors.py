"""The golden vectors: what cloud, agent and console must read and write alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeflow_protocol import FrameError, clock, decode_from_cloud, decode_from_device, encode, frames, shadow
from protocol.tests.material import frame_cases, load

DECODERS = {"device": decode_from_device, "cloud": decode_from_cloud}


@pytest.mark.parametrize("case", frame_cases())
def test_frame(case: dict[str, Any]) -> None:
    decode = DECODERS[case["from"]]
    if "frame" in case:
        frame = decode(case["text"].encode())
        assert json.loads(encode(frame)) == case["frame"]
        assert decode(encode(frame)) == frame
        return
    with pytest.raises(FrameError) as caught:
        decode(case["text"].encode())
    assert caught.value.fault == case["fault"]
    assert str(caught.value).endswith(".")
    assert caught.value.frame_type == case.get("frame_type", "")
    assert caught.value.id == case.get("id", "")
    assert caught.value.boot_id == case.get("boot_id", "")
    assert caught.value.sequence == case.get("sequence", 0)


def test_every_frame_has_a_vector() -> None:
    seen = {
        (case.values[0]["from"], case.values[0]["frame"]["type"])
        for case in frame_cases()
        if "frame" in case.values[0]
    }
    for direction, union in (("device", frames.DeviceFrame), ("cloud", frames.CloudFrame)):
        for kind in union.__args__:
            assert (direction, kind.__struct_config__.tag) in seen


@pytest.mark.parametrize("case", load("shadow_algebra.json")["merge"], ids=lambda case: case["name"])
def test_merge(case: dict[str, Any]) -> None:
    assert shadow.same(shadow.merge(case["document"], case["change"]), case["merged"])


@pytest.mark.parametrize("case", load("shadow_algebra.json")["delta"], ids=lambda case: case["name"])
def test_delta(case: dict[str, Any]) -> None:
    assert shadow.same(shadow.delta(case["desired"], case["reported"]), case["delta"])


@pytest.mark.parametrize("case", load("shadow_algebra.json")["leaves"], ids=lambda case: case["name"])
def test_leaves(case: dict[str, Any]) -> None:
    assert shadow.leaves(case["document"]) == case["leaves"]


@pytest.mark.parametrize("case", load("times.json")["cases"], ids=lambda case: case["text"])
def test_times(case: dict[str, Any]) -> None:
    moment = clock.parse_time(case["text"])
    assert (clock.format_time(moment) if moment else None) == case["utc"]
