"""Whole model rows for the busiest requests, by a SELECT whose text is put together once.

Django compiles a queryset anew each time; for rows of three joined tables that takes longer than finding them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model


class _Shape(NamedTuple):
    """How one model is cut out of a row: its part of the columns, its attributes, and what decodes some of them."""

    model: type[Model]
    start: int
    end: int
    attributes: list[str]
    decoders: list[tuple[int, Callable[..., Any]]]


class Rows:
    """`Rows("SELECT {account}, {owner} FROM accounts_account account JOIN ...", account=Account, owner=User)`.

    Each name is the alias of a table and stands for all columns of its model; parameters are `%(name)s`.
    """

    def __init__(self, sql: str, **models: type[Model]) -> None:
        self._sql = sql
        self._models = models

    def all(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row as a tuple of instances, in the order of the models."""
        shapes = self._shapes
        with connection.cursor() as cursor:
            cursor.execute(self._text, parameters)
            return [tuple(_instance(shape, row) for shape in shapes) for row in cursor.fetchall()]

    def first(self, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.all(parameters)
        return found[0] if found else None

    @cached_property
    def _text(self) -> str:
        columns = {
            alias: ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)
            for alias, model in self._models.items()
        }
        return self._sql.format(**columns)

    @cached_property
    def _shapes(self) -> list[_Shape]:
        shapes = []
        start = 0
        for model in self._models.values():
            fields = model._meta.concrete_fields
            decoders = [
                (place, decode) for place, field in enumerate(fields) for decode in field.get_db_converters(connection)
            ]
            end = start + len(fields)
            shapes.append(_Shape(model, start, end, [field.attname for field in fields], decoders))
            start = end
        return shapes


def _instance(shape: _Shape, row: tuple[Any, ...]) -> Model:
    values = list(row[shape.start : shape.end])
    for place, decode in shape.decoders:
        values[place] = decode(values[place], None, connection)
    return shape.model.from_db("default", shape.attributes, values)
