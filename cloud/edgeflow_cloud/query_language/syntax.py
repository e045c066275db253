"""Text to tree: the grammar, and the one error with a caret. Pure.

query      = comparison, and / or / not, parentheses
comparison = field op value | field [not] in (value, …) | field is [not] null
"""

import re
from dataclasses import dataclass
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from edgeflow_cloud.kernel.errors import Problem

MOST_LETTERS, MOST_COMPARISONS, MOST_DEPTH = 4_000, 100, 40

_GRAMMAR = r"""
?start: either
?either: both (OR both)*
?both: negated (AND negated)*
?negated: NOT negated -> negation
    | "(" either ")"
    | comparison
comparison: ATOM OPERATOR value -> compare
    | ATOM IN "(" value ("," value)* ")" -> among
    | ATOM NOT IN "(" value ("," value)* ")" -> not_among
    | ATOM IS NULL -> is_null
    | ATOM IS NOT NULL -> is_not_null
value: ATOM | STRING | NULL

OPERATOR: "!=" | "!~" | "<=" | ">=" | "==" | "=" | "<" | ">" | "~"
AND.3: /and(?![\w.\-:+@\/%])|&&/i
OR.3: /or(?![\w.\-:+@\/%])|\|\|/i
NOT.3: /not(?![\w.\-:+@\/%])/i
IN.3: /in(?![\w.\-:+@\/%])/i
IS.3: /is(?![\w.\-:+@\/%])/i
NULL.3: /null(?![\w.\-:+@\/%])/i
ATOM: /-?\w[\w.\-:+@\/%]*/
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/
%ignore /\s+/
"""
_PARSER = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False, propagate_positions=False)
_NAMED = {
    "OPERATOR": "an operator (= != < <= > >= ~ !~)",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
    "IS": "is",
    "NULL": "null",
    "ATOM": "a word",
    "STRING": 'a text in "quotes"',
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "$END": "the end",
}


class QueryInvalid(Problem):
    """The query cannot be understood: `message` says why, `line` and `column` (from 1) where."""

    status, code, title = 400, "query_invalid", "The query cannot be understood"

    def __init__(self, message: str, text: str, position: int, length: int = 1) -> None:
        position = max(0, min(position, len(text)))
        self.message = message
        self.line = text.count("\n", 0, position) + 1
        start = text.rfind("\n", 0, position) + 1
        self.column = position - start + 1
        written = text[start:].split("\n", 1)[0].replace("\t", " ")
        marks = "^" * max(1, min(length, len(written) - (position - start)))
        self.caret = f"{written}\n{' ' * (position - start)}{marks}"
        super().__init__(
            f"{message}\n{self.caret}",
            extra={"message": message, "line": self.line, "column": self.column, "caret": self.caret},
        )


@dataclass(frozen=True, slots=True)
class Word:
    """A name or value as written; `quoted` text is never read as a number, an age or a version."""

    text: str
    position: int
    length: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator values`; `in` has many values, all others one. A missing value (`null`) is None."""

    field: Word
    operator: str
    values: tuple[Word | None, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """Both or either of its parts."""

    word: str
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of its part."""

    part: "Node"


Node = Comparison | Junction | Negation


def parse(text: str) -> Node:
    """The tree of a query. Raises QueryInvalid."""
    if len(text) > MOST_LETTERS:
        raise QueryInvalid(
            f"A query has at most {MOST_LETTERS:,} letters; this one has {len(text):,}.", text, MOST_LETTERS
        )
    if not text.strip():
        raise QueryInvalid("The query is empty. Write a comparison such as status = online.", text, 0)
    strange = re.search(r"[\x00\ud800-\udfff]", text)
    if strange:
        raise QueryInvalid("This letter cannot be looked for.", text, strange.start())
    _refuse_depth(text)
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    node = _node(tree)
    found = comparisons(node)
    if len(found) > MOST_COMPARISONS:
        word = found[MOST_COMPARISONS].field
        raise QueryInvalid(
            f"A query has at most {MOST_COMPARISONS} comparisons.", text, word.position, word.length
        )
    return node


def comparisons(node: Node) -> list[Comparison]:
    """The leaves, from left to right."""
    if isinstance(node, Comparison):
        return [node]
    if isinstance(node, Negation):
        return comparisons(node.part)
    return [leaf for part in node.parts for leaf in comparisons(part)]


def _refuse_depth(text: str) -> None:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', lambda found: " " * len(found[0]), text)
    depth = 0
    for found in re.finditer(r"\(|\)|\bnot\b", bare, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth > MOST_DEPTH:
            raise QueryInvalid(f"Parentheses go at most {MOST_DEPTH} deep.", text, found.start())
    run = re.search(rf"(?:\bnot\b[\s(]*){{{MOST_DEPTH},}}", bare, re.IGNORECASE)
    if run:
        raise QueryInvalid(f"At most {MOST_DEPTH - 1} times not in a row.", text, run.start())


def _explain(error: UnexpectedInput, text: str) -> QueryInvalid:
    if isinstance(error, UnexpectedCharacters):
        position = cast("int", error.pos_in_stream)
        letter = text[position]
        if letter in "\"'":
            return QueryInvalid(f"This {letter} is opened and never closed.", text, position)
        said = f'{letter!r} does not belong here; put a value with such letters in "quotes".'
        return QueryInvalid(said, text, position)
    expected = set[str]()
    position, length, found = len(text.rstrip()), 1, "the end"
    if isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        token = cast("Token", error.token)
        if token.type != "$END":
            position, length, found = token.start_pos or 0, len(token), str(token)
    names = [name for key, name in _NAMED.items() if key in expected]
    if {"ATOM", "STRING"} <= expected:
        names = ["a value", *(name for name in names if name not in (_NAMED["ATOM"], _NAMED["STRING"]))]
    elif "ATOM" in expected:
        names = ["a field", *(name for name in names if name != _NAMED["ATOM"])]
    return QueryInvalid(f"Here should be {_listed(names)}, not {found}.", text, position, length)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _node(tree: Tree[Token]) -> Node:
    parts = tree.children
    match tree.data:
        case "either" | "both":
            inner = tuple(_node(part) for part in parts if isinstance(part, Tree))
            return Junction("or" if tree.data == "either" else "and", inner)
        case "negation":
            return Negation(_node(_tree(parts[-1])))
        case "compare":
            operator = str(parts[1])
            return Comparison(_word(parts[0]), "=" if operator == "==" else operator, (_value(parts[2]),))
        case "is_null":
            return Comparison(_word(parts[0]), "=", (None,))
        case "is_not_null":
            return Comparison(_word(parts[0]), "!=", (None,))
        case other:
            values = tuple(_value(part) for part in parts if isinstance(part, Tree))
            return Comparison(_word(parts[0]), "in" if other == "among" else "not in", values)


def _tree(part: Tree[Token] | Token) -> Tree[Token]:
    if not isinstance(part, Tree):
        raise TypeError(f"{part!r} is a leaf")
    return part


def _word(part: Tree[Token] | Token) -> Word:
    if not isinstance(part, Token):
        raise TypeError(f"{part!r} is not a leaf")
    text, position = str(part), part.start_pos or 0
    if part.type == "STRING":
        return Word(re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL), position, len(text), quoted=True)
    return Word(text, position, len(text))


def _value(part: Tree[Token] | Token) -> Word | None:
    token = _tree(part).children[0]
    return None if isinstance(token, Token) and token.type == "NULL" else _word(token)
