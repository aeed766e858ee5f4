"""`column IN (many values)` with one parameter.

SQLAlchemy writes one parameter for each value of an IN: for a batch of 500 cards that takes longer than the database
does. PostgreSQL takes a list as an array, SQLite as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class _Texts(sa.types.TypeDecorator[list[str]]):
    """A list of texts as one parameter."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.ARRAY(sa.Text()) if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Among(sa.sql.functions.GenericFunction[bool]):
    """`_Among(column, parameter)`."""

    name = "comptoir_among"
    type = sa.Boolean()
    inherit_cache = True


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **more)} = ANY ({compiler.process(values, **more)})"


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    column, values = element.clauses
    listed = f"SELECT value FROM json_each({compiler.process(values, **more)})"  # noqa: S608 (a parameter, no value)
    return f"{compiler.process(column, **more)} IN ({listed})"


def among(column: sa.ColumnElement[str], values: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether the text in `column` is one of `values`."""
    return _Among(column, sa.bindparam(None, list(values), type_=_Texts()))
