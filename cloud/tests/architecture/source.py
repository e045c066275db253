"""The cloud's own source as data: modules, their imports, the SQL in them.

A check is a function from source (or a catalogue) to sentences, one a violation. Its test runs it twice: on
the tree, where it must say nothing, and on a bad sample, where it must speak.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "cloud" / "edgeflow_cloud"
MIGRATIONS = PACKAGE / "migrations" / "versions"
NOT_SUBSYSTEMS = frozenset({"kernel", "infra", "migrations", "app"})


@dataclass(frozen=True)
class Module:
    """One Python file. `name` is dotted: `devices.queries`; `devices` is the folder's `__init__`."""

    name: str
    text: str
    path: Path = Path("sample.py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def owner(self) -> str:
        """The first folder: subsystem, `kernel`, `infra` or `app`; empty for the package itself."""
        return self.name.split(".")[0]

    @property
    def is_queries(self) -> bool:
        """Whether this is the place for SQL: `queries.py` of a subsystem or of a folder in it."""
        return "queries" in self.name.split(".")[1:]

    @property
    def part(self) -> str:
        """What it is inside its subsystem: `queries`, `service`, … and `__init__` for the public API."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"

    @property
    def offered(self) -> frozenset[str]:
        """The names in `__all__`."""
        for node in self.tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id == "__all__"
            ):
                return frozenset(ast.literal_eval(node.value))
        return frozenset()

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every absolute dotted name below `edgeflow_cloud` that this file imports, with its line.

        `from edgeflow_cloud.devices import queries` counts as `devices.queries`: it may be a module.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.startswith("edgeflow_cloud."):
                        yield alias.name.removeprefix("edgeflow_cloud."), node.lineno
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                if base is None:
                    continue
                for alias in node.names:
                    yield f"{base}.{alias.name}".lstrip("."), node.lineno

    def _absolute(self, node: ast.ImportFrom) -> str | None:
        if node.level:
            here = self.name.split(".") if self.path.name == "__init__.py" else self.name.split(".")[:-1]
            up = here[: len(here) - node.level + 1]
            return ".".join([*up, *([node.module] if node.module else [])])
        if node.module == "edgeflow_cloud":
            return ""
        if node.module and node.module.startswith("edgeflow_cloud."):
            return node.module.removeprefix("edgeflow_cloud.")
        return None


def load(package: Path = PACKAGE) -> list[Module]:
    """All modules of the cloud except migrations (they are SQL, read by `tables` below)."""
    modules: list[Module] = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] == "migrations":
            continue
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules.append(Module(name, path.read_text(encoding="utf-8"), path))
    return modules


def subsystems(package: Path = PACKAGE) -> list[str]:
    """Folders that are subsystems of the product."""
    return sorted(
        path.name
        for path in package.iterdir()
        if path.is_dir() and (path / "__init__.py").exists() and path.name not in NOT_SUBSYSTEMS
    )


_STATEMENT = re.compile(
    r"\A\s*(?:--[^\n]*\n\s*)*"
    r"(?:select\s|insert\s+into\s|update\s+(?:only\s+)?\w+|delete\s+from\s|with\s+(?:recursive\s+)?\w+[^.]*?\bas\b"
    r"|copy\s+\w+|lock\s+table|truncate\s|merge\s+into|call\s+\w+\(|values\s*\()",
    re.IGNORECASE,
)
_SURELY_SQL = re.compile(
    r"\A\s*(?:--[^\n]*\n\s*)*(?:select\s[\s\S]*\bfrom\s|select\s+\w+\(|insert\s+into\s|update\s+\w+\s[\s\S]*\bset\s"
    r"|delete\s+from\s|with\s+\w+[\s\S]*\bas\s*(?:not\s+)?(?:materialized\s*)?\(|copy\s+\w+\s|truncate\s+\w+)"
)
"""Lower case, as SQL is written here, or all capitals: a sentence begins with one capital."""
_PLACES = re.compile(
    r"\b(?:from|join|into|update|table|copy|using|truncate)\s+(?:only\s+)?"
    r"((?:[a-z_][\w.]*(?:\s+(?:as\s+)?[a-z_]\w*)?\s*,\s*)*[a-z_][\w.]*)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"--[^\n]*")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True)
class Statement:
    """One SQL text in a module. `node` is its expression; `text` has `{}` where something is put in."""

    module: Module
    node: ast.expr
    text: str

    @property
    def where(self) -> str:
        return f"{self.module.name.replace('.', '/')}.py:{self.node.lineno}"


def statements(module: Module, *, surely: bool = False) -> list[Statement]:
    """SQL texts of a module. `surely` asks for more than a first word, for files where prose is expected."""
    docstrings = _docstrings(module.tree)
    inside: set[int] = set()
    found: list[Statement] = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            continue
        if id(node) in inside or id(node) in docstrings:
            continue
        text = _text(node)
        if text is None:
            continue
        inside.update(id(child) for child in ast.walk(node))
        if _is_surely_sql(text) if surely else _STATEMENT.match(text):
            found.append(Statement(module, node, text))
    return found


def _is_surely_sql(text: str) -> bool:
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return bool(_SURELY_SQL.match(text.lower() if first.isupper() else text))


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None and right is None else f"{left or '{}'}{right or '{}'}"
    return None


def _docstrings(tree: ast.Module) -> set[int]:
    """Strings that stand alone as a statement: docstrings, and the ones below an assignment."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def names_in(sql: str) -> set[str]:
    """Names that stand where SQL expects a table."""
    bare = _QUOTED.sub("''", _COMMENT.sub("", sql))
    names: set[str] = set()
    for match in _PLACES.finditer(bare):
        for item in match.group(1).split(","):
            names.add(item.split()[0].lower().removeprefix("public."))
    return names


@dataclass(frozen=True)
class Schema:
    """What the migrations leave: `tables` (views included) and `functions` that run as their definer.

    `inside` are those of the functions that SQL of the migrations calls (policies, views, other functions), each with
    the tables that it reads or writes.
    """

    tables: frozenset[str]
    functions: frozenset[str]
    inside: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


_TABLE = re.compile(
    r"\bcreate\s+(?:unlogged\s+)?(?:or\s+replace\s+)?(?:materialized\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?"
    r"(?:public\.)?(\w+(?:\.\w+)?)\b(?!\.)(?!\s+partition\s+of)",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?function\s+(?:public\.)?(\w+)\s*\(([\s\S]*?)(?=\bcreate\s+(?:or\s+replace\s+)?"
    r"(?:function|table|view)|\bdrop\s+function|\Z)",
    re.IGNORECASE,
)
_DROPPED = re.compile(r"\bdrop\s+function\s+(?:if\s+exists\s+)?(?:public\.)?(\w+)", re.IGNORECASE)
_NOT_A_CALL = r"(?:function\s+(?:if\s+exists\s+)?(?:public\.)?|secure_lookup\(')"


def schema(folder: Path = MIGRATIONS) -> Schema:
    """Read the migrations' SQL; partitions are their parent's."""
    return schema_of("\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))))


def schema_of(sql: str) -> Schema:
    """The same for one text. A function whose every definition stands before its last `drop` is gone."""
    bare = _COMMENT.sub("", sql)
    dropped = {found.group(1): found.start() for found in _DROPPED.finditer(bare)}
    bodies: dict[str, str] = {}
    for found in _FUNCTION.finditer(bare):
        name, rest = found.groups()
        if found.start() > dropped.get(name, -1) and re.search(
            r"\bsecurity\s+definer\b", rest, re.IGNORECASE
        ):
            bodies[name] = rest
    tables = frozenset(name.lower() for name in _TABLE.findall(bare))
    inside = {
        name: frozenset(names_in(body)) & tables for name, body in bodies.items() if _is_called(name, bare)
    }
    return Schema(tables, frozenset(bodies), inside)


def _is_called(function: str, sql: str) -> bool:
    named = len(re.findall(rf"\b{function}\(", sql))
    return named > len(re.findall(rf"{_NOT_A_CALL}{function}\(", sql))
