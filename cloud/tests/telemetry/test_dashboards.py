"""The dashboards that come with the product ask only for what the scrapes hold, and Grafana would find their parts."""

import json
import re
from pathlib import Path
from typing import cast

import pytest
import yaml

from cloud.tests.telemetry.test_prometheus import GOLDEN

GRAFANA = Path(__file__).parents[3] / "deploy" / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
_QUERY = ("expr", "definition", "query")


def known() -> dict[str, str]:
    """Family -> type."""
    lines = [
        line.split(" ")
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
        if line.startswith("# TYPE")
    ]
    return {line[2]: line[3] for line in lines}


def texts(node: object, key: str = "") -> list[str]:
    """Every query in a dashboard."""
    if isinstance(node, dict):
        return [text for name, one in cast(dict[str, object], node).items() for text in texts(one, name)]
    if isinstance(node, list):
        return [text for one in cast(list[object], node) for text in texts(one, key)]
    return [node] if isinstance(node, str) and key in _QUERY else []


def asked(text: str) -> set[str]:
    return set(re.findall(r"\bedgeflow_\w+", text))


def family(name: str, types: dict[str, str]) -> str:
    plain = re.sub(r"_(bucket|sum|count)$", "", name)
    return plain if types.get(plain) == "histogram" else name


def unknown(board: object) -> set[str]:
    types = known()
    return {name for text in texts(board) for name in asked(text) if family(name, types) not in types}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_query_names_a_metric_that_there_is(path: Path) -> None:
    board = json.loads(path.read_text(encoding="utf-8"))
    found = texts(board)
    assert len(found) > 10
    assert all(asked(text) for text in found)
    assert unknown(board) == set()
    board["panels"][0]["targets"][0]["expr"] += " + edgeflow_renamed_total"
    assert unknown(board) == {"edgeflow_renamed_total"}


def test_every_own_metric_is_on_a_dashboard_or_said_to_be_left_out() -> None:
    types = known()
    shown = {
        family(name, types)
        for path in BOARDS
        for text in texts(json.loads(path.read_text()))
        for name in asked(text)
    }
    own = {
        name for name in types if name.startswith("edgeflow_") and not name.startswith("edgeflow_process_")
    }
    assert own - shown == set()


def test_grafana_finds_the_parts() -> None:
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/edgeflow.yaml").read_text())["datasources"][
        0
    ]
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/edgeflow.yaml").read_text())["providers"][0]
    assert provider["type"] == "file"
    uids: set[str] = set()
    for path in BOARDS:
        board = json.loads(path.read_text(encoding="utf-8"))
        uids.add(board["uid"])
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
        used = set(re.findall(r"\$(?!__)(\w+)", " ".join(texts(board))))
        assert used <= {one["name"] for one in board["templating"]["list"]}
        for part in (*board["panels"], *board["templating"]["list"]):
            assert part["datasource"] == {"type": source["type"], "uid": source["uid"]}
    assert len(uids) == len(BOARDS) == 2
