"""The statements of the busiest requests: their text is put together once, and each connection plans them once.

Django compiles a queryset anew each time and the server plans it anew; for rows of three joined tables both take longer
than finding them. A prepared statement belongs to its connection, so behind a pooler that deals out connections by the
transaction `DATABASE_PREPARE=false` leaves the planning to each call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection, models
from django.db.models import Model

_PARAMETER = re.compile(r"%\((\w+)\)s")
_numbers = count(1)


class Prepared:
    """One statement with parameters `%(name)s`. The server must be able to tell their types, so some need a cast."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._name = f"bankportal_{next(_numbers)}"
        self._known: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()

    def all(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row."""
        with connection.cursor() as cursor:
            self._execute(cursor, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def first(self, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.all(parameters)
        return found[0] if found else None

    def _execute(self, cursor: Any, parameters: Mapping[str, Any]) -> None:
        if settings.DATABASE_PREPARE:
            self._prepare()
            cursor.execute(self._call, [parameters[name] for name in self._names])
        else:
            cursor.execute(self._text, parameters)

    def _prepare(self) -> None:
        line = connection.connection
        if line not in self._known:
            places = {name: f"${place}" for place, name in enumerate(self._names, start=1)}
            # A cursor of the driver's own: this is no query of the request that happens to come first.
            with line.cursor() as cursor:
                cursor.execute(f"PREPARE {self._name} AS " + _PARAMETER.sub(lambda found: places[found[1]], self._text))
            self._known[line] = True

    @cached_property
    def _text(self) -> str:
        return self._sql

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(_PARAMETER.findall(self._text)))

    @cached_property
    def _call(self) -> str:
        return f"EXECUTE {self._name} ({', '.join(['%s'] * len(self._names))})"


class Inserts(Prepared):
    """`Inserts(Decision, Activity).save(decision, step)`: a row for each of the tables, in one statement.

    The instances carry their primary keys, except automatic numbers, which stay unknown to them. No signal is sent.
    """

    def __init__(self, *models: type[Model]) -> None:
        super().__init__("")
        self._models = models

    def save(self, *instances: Model) -> None:
        """One instance for each model, in their order."""
        parameters = {
            name: getattr(instances[place], attribute) if prepare is None else prepare(instances[place])
            for name, place, attribute, prepare in self._columns
        }
        with connection.cursor() as cursor:
            self._execute(cursor, parameters)

    @cached_property
    def _text(self) -> str:
        parts = []
        for place, model in enumerate(self._models):
            fields = _stored(model)
            columns = ", ".join(f'"{field.column}"' for field in fields)
            values = ", ".join(f"%({field.attname}_{place})s" for field in fields)
            parts.append(f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({values})')  # noqa: S608 (our models)
        before = ", ".join(f"row_{place} AS ({part})" for place, part in enumerate(parts[:-1]))
        return f"WITH {before} {parts[-1]}" if before else parts[-1]

    @cached_property
    def _columns(self) -> list[tuple[str, int, str, Callable[[Model], Any] | None]]:
        return [
            (f"{field.attname}_{place}", place, field.attname, None if isinstance(field, _PLAIN) else _preparing(field))
            for place, model in enumerate(self._models)
            for field in _stored(model)
        ]


# The driver writes what these hold as it is.
_PLAIN = (
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.FloatField,
    models.ForeignKey,
    models.IntegerField,
    models.UUIDField,
)


def _stored(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _preparing(field: Any) -> Callable[[Model], Any]:
    return lambda instance: field.get_db_prep_save(getattr(instance, field.attname), connection)


class _Shape(NamedTuple):
    """How one model is cut out of a row: its part of the columns, its attributes, and what decodes some of them."""

    model: type[Model]
    start: int
    end: int
    attributes: list[str]
    decoders: list[tuple[int, Callable[..., Any]]]


class Rows(Prepared):
    """`Rows("SELECT {account}, {owner} FROM accounts_account account JOIN ...", account=Account, owner=User)`.

    Each name is the alias of a table and stands for all columns of its model; a row is a tuple of instances.
    """

    def __init__(self, sql: str, **models: type[Model]) -> None:
        super().__init__(sql)
        self._models = models

    def all(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row as a tuple of instances, in the order of the models."""
        return [tuple(_instance(shape, row) for shape in self._shapes) for row in super().all(parameters)]

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
