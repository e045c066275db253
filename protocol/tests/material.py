"""Hypothesis strategies for JSON, and the golden vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

VECTORS = Path(__file__).parents[1] / "vectors"

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
scalars = (
    st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
short_keys = st.sampled_from(["a", "b", "c", "a.b", "\\", "", "é"])
changes = st.dictionaries(
    short_keys,
    st.recursive(
        scalars | st.none() | st.lists(scalars | st.none(), max_size=3),
        lambda inner: st.dictionaries(short_keys, inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)
"""Any JSON object; few keys, so that two of them meet."""


def load(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / name).read_text())


def frame_cases() -> list[Any]:
    cases: list[Any] = []
    for path in sorted(VECTORS.glob("*.json")):
        for case in json.loads(path.read_text()).get("cases", []):
            if "from" in case:
                cases.append(pytest.param(case, id=f"{path.stem}: {case['name']}"))
    return cases
