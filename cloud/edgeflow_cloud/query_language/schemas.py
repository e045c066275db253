"""A query as a body or a parameter has it."""

from typing import Annotated

from pydantic import StringConstraints

Query = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
