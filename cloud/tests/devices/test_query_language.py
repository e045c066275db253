"""What people ask of their devices, as the API answers it."""

import pytest

from cloud.tests.conftest import Caller
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal


async def make_fleet(client: Caller, db: Database, owner: Principal) -> dict[str, str]:
    """Five devices that differ in everything that can be asked; their ids by name."""
    http = client("owner")
    async with db.system_tx("a test's organization") as tx:
        await tx.execute(
            "insert into organizations (tenant_id, name, slug, created_at, updated_at)"
            " values ($1, 'Acme', 'acme', now(), now())",
            owner.tenant_id,
        )
    project = (await http.post("/projects", json={"name": "Line 9"})).json()["id"]
    made: dict[str, str] = {}
    for name, body in {
        "press-1": {"tags": ["line-3", "hot"], "project_id": project, "notes": "spare part: 100%"},
        "press-2": {"tags": ["line-3"], "place": {"name": "Hall 2", "latitude": 48.1, "longitude": 11.5}},
        "oven": {"tags": ["line-4"]},
        "Saw_x": {"tags": []},
        "never": {},
    }.items():
        answer = await http.post("/devices", json={"name": name, **body})
        assert answer.status_code == 201, answer.text
        made[name] = answer.json()["device_id"]
    facts = {
        "press-1": ("1.4.0", {"model": "Pi 4", "cores": 4, "caps": ["gpio", "i2c"], "rev": "1.10.0"}),
        "press-2": ("1.10.0", {"model": "Pi 5", "cores": 8, "secure": True, "rev": "1.9"}),
        "oven": ("1.4.0-rc.2", {"model": {"name": "N100"}, "cores": "4"}),
        "Saw_x": ("nightly", {"disks": [{"size": 32}]}),
    }
    async with db.tenant_tx(owner) as tx:
        for name, (firmware, hardware) in facts.items():
            await tx.execute(
                "update devices set firmware_version = $2, hardware = $3 where id = $1",
                ids.decode("dev", made[name]),
                firmware,
                hardware,
            )
        for name, ago, online in (
            ("press-1", "5 minutes", True),
            ("press-2", "2 days", False),
            ("oven", "1 hour", True),
        ):
            await tx.execute(
                "update device_presence set last_seen_at = now() - $2::text::interval, online = $3"
                " where device_id = $1",
                ids.decode("dev", made[name]),
                ago,
                online,
            )
    return made


ANSWERS = {
    "status = online": "oven press-1",
    "not status = online": "never press-2 Saw_x",
    "status != online": "never press-2 Saw_x",
    'tag = "line-3"': "press-1 press-2",
    "tag in (line-4, hot)": "oven press-1",
    "tag ~ line": "oven press-1 press-2",
    "tag is null": "never Saw_x",
    "tag != hot and tag is not null": "oven press-2",
    'name ~ "SAW_"': "Saw_x",
    "name !~ press": "never oven Saw_x",
    'notes ~ "100%"': "press-1",
    "firmware < 1.4.0": "oven",
    "firmware >= 1.4": "press-1 press-2",
    "firmware = 1.4": "press-1",
    "firmware > v1.9.9": "press-2",
    "firmware = nightly": "Saw_x",
    "firmware in (1.4.0-rc.2, 1.10)": "oven press-2",
    "firmware is null": "never",
    "last_seen < 30m": "press-1",
    "last_seen > 1d or last_seen is null": "never press-2 Saw_x",
    "last_seen > 2020-01-01": "oven press-1 press-2",
    "created < 1h": "never oven press-1 press-2 Saw_x",
    'hardware.model = "Pi 4"': "press-1",
    "hardware.model.name = N100": "oven",
    "hardware.caps = gpio": "press-1",
    "hardware.cores = 4": "oven press-1",
    'hardware.cores = "4"': "oven",
    "hardware.cores > 4": "press-2",
    "hardware.cores is not null and not hardware.cores > 4": "oven press-1",
    "hardware.secure = true": "press-2",
    "hardware.rev > 1.9.5": "press-1",
    "hardware.disks.0.size = 32": "Saw_x",
    'hardware.model ~ "pi"': "press-1 press-2",
    'project = "line 9"': "press-1",
    'project != "line 9"': "never oven press-2 Saw_x",
    'place ~ "hall"': "press-2",
    "network.hostname = x": "",
    "shadow.reported.gpio.mode != auto": "never oven press-1 press-2 Saw_x",
    "cpu > 80 or temperature > 70 or disk > 90 or memory > 90": "",
    "group is null": "never oven press-1 press-2 Saw_x",
    "(status = online or tag = line-4) and not (name = oven)": "press-1",
}


async def test_questions_have_the_right_answers(client: Caller, db: Database, owner: Principal) -> None:
    made = await make_fleet(client, db, owner)
    http = client("owner")
    wrong: list[str] = []
    for q, expected in {**ANSWERS, f"device = {made['oven']}": "oven"}.items():
        answer = await http.get("/devices", params={"q": q})
        if answer.status_code != 200:
            wrong.append(f"{q}: {answer.json()['detail']}")
            continue
        found = answer.json()
        names = " ".join(item["name"] for item in found["items"])
        if names != expected or found["total"] != len(expected.split()):
            wrong.append(f"{q}: {names}, not {expected}")
    assert wrong == []
    assert (await client("stranger").get("/devices", params={"q": "name ~ e"})).json()["items"] == []


@pytest.mark.parametrize(
    ("q", "message", "column", "marks"),
    [
        ("status = onlin", "status is online or offline. Did you mean online?", 10, 5),
        ("statu = online", "There is no field statu. Did you mean status?", 1, 5),
        ("cpu > warm", "cpu is a number, and warm is none.", 7, 4),
        ("firmware < nightly", "nightly is not a version", 12, 7),
        ("last_seen < soon", "soon is neither an age", 13, 4),
        ("tag > 3", "tag cannot be asked with >", 1, 3),
        ("group = lab", "There is no group lab", 9, 3),
        ("project = lab", "There is no project lab", 11, 3),
        ("hardware = x", "Say what of hardware", 1, 8),
        ("hardware.a < red", "compares numbers and versions", 14, 3),
        ("name =", "Here should be a value or null, not the end.", 7, 1),
        ("(name = x", "not the end", 10, 1),
        ("name = x y", "not y", 10, 1),
        ('name = "x', "never closed", 8, 1),
        ("device = dev_x", "not a device id", 10, 5),
        ("", "The query is empty", 1, 1),
        ("(" * 50 + "name = x" + ")" * 50, "at most 40 deep", 41, 1),
        (" and ".join(["name = x"] * 101), "at most 100 comparisons", 1301, 4),
        ("name = a\x00b", "cannot be looked for", 9, 1),
    ],
)
async def test_a_fault_is_one_sentence_and_a_mark(
    client: Caller, q: str, message: str, column: int, marks: int
) -> None:
    verdict = (await client("owner").post("/devices/query-check", json={"q": q})).json()
    if "\x00" in q:
        assert verdict["status"] in (400, 422)
        return
    assert verdict["valid"] is False
    error = verdict["error"]
    assert message in error["message"]
    assert (error["line"], error["column"]) == (1, column)
    line, mark = error["caret"].split("\n")
    assert mark == " " * (column - 1) + "^" * marks
    assert line == q
    if q:
        refused = await client("owner").get("/devices", params={"q": q})
        assert (refused.status_code, refused.json()["code"]) == (400, "query_invalid")
        assert refused.json()["detail"].endswith(error["caret"])


async def test_completion_knows_fields_operators_and_values(
    client: Caller, db: Database, owner: Principal
) -> None:
    await make_fleet(client, db, owner)
    http = client("owner")
    items = (await http.get("/devices/query-fields")).json()["items"]
    fields = {item["name"]: item for item in items}
    assert {"status", "tag", "group", "firmware", "cpu", "shadow.reported.*", "hardware.*"} <= set(fields)
    assert fields["status"]["values"] == ["online", "offline"]
    assert fields["tag"]["values"] == ["hot", "line-3", "line-4"]
    assert "<" in fields["firmware"]["operators"]
    for item in items:
        if item["type"] in ("group", "project"):
            continue
        checked = await http.post("/devices/query-check", json={"q": item["example"]})
        assert checked.json()["valid"] is True, (item["example"], checked.json())
        for operator in item["operators"]:
            assert isinstance(operator, str)


async def test_lists_are_sorted_and_paged_without_gap_in_every_order(
    client: Caller, db: Database, owner: Principal
) -> None:
    await make_fleet(client, db, owner)
    http = client("owner")
    for sort in ("name", "created", "updated", "last_seen", "status", "firmware"):
        for order in (sort, f"-{sort}"):
            whole = [
                item["name"] for item in (await http.get("/devices", params={"sort": order})).json()["items"]
            ]
            found: list[str] = []
            cursor: dict[str, str] = {}
            while True:
                page = (await http.get("/devices", params={"sort": order, "limit": 2, **cursor})).json()
                found += [item["name"] for item in page["items"]]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            assert found == whole and len(found) == 5, order
            assert (found == found[::-1]) is False
    seen = [
        item["name"] for item in (await http.get("/devices", params={"sort": "-last_seen"})).json()["items"]
    ]
    assert seen[:3] == ["press-1", "oven", "press-2"]
    first = (await http.get("/devices", params={"limit": 2})).json()["next_cursor"]
    other = await http.get("/devices", params={"limit": 2, "cursor": first, "sort": "-name"})
    assert other.json()["code"] == "bad_cursor"
    assert (await http.get("/devices", params={"sort": "colour"})).status_code == 422
    assert (await http.get("/devices", params={"total": "false"})).json()["total"] is None


async def test_a_target_may_be_a_query(client: Caller, db: Database, owner: Principal) -> None:
    await make_fleet(client, db, owner)
    http = client("owner")
    body = {"target": {"query": "hardware.cores > 2"}, "add": ["big"]}
    assert (await http.post("/devices/tags", json=body)).json() == {"matched": 2, "changed": 2}
    wrong = await http.post("/devices/tags", json={"target": {"query": "cores >"}, "add": ["big"]})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "query_invalid")
