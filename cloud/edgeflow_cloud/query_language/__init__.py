"""The query language: one grammar, one error with a caret, compiled to SQL with bound parameters.

Owns: the words and their meaning. Promises: no text of a caller gets into SQL; each field is read and compared by its
type; what cannot be understood is answered with the place of the fault. Does not do: know any field (subsystems
contribute theirs, `VOCABULARY`), or ask the database.
"""

from edgeflow_cloud.query_language.compiler import Compiler, Condition, Inlined, Names
from edgeflow_cloud.query_language.model import VOCABULARY, FieldType, QueryField
from edgeflow_cloud.query_language.schemas import Query
from edgeflow_cloud.query_language.syntax import Node, QueryInvalid, comparisons, parse

__all__ = [
    "VOCABULARY",
    "Compiler",
    "Condition",
    "FieldType",
    "Inlined",
    "Names",
    "Node",
    "Query",
    "QueryField",
    "QueryInvalid",
    "comparisons",
    "parse",
]
