"""The statements of the busiest requests: their text is put together once, and each connection plans them once.

Django compiles a queryset or an INSERT anew each time and the server plans it anew; for rows of three joined tables both
take longer than finding them. A prepared statement belongs to its connection, so behind a pooler that deals out
connections by the transaction `DATABASE_PREPARE=false` leaves the planning to each call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import Field, Model
from django.db.models.base import ModelState
from django.db.models.fields import NOT_PROVIDED

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
            self._execute(cursor, [parameters[name] for name in self._names])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def first(self, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.all(parameters)
        return found[0] if found else None

    def run(self, values: Sequence[Any]) -> None:
        """For a statement that gives no rows: the values of its parameters in their order."""
        with connection.cursor() as cursor:
            self._execute(cursor, values)

    def _execute(self, cursor: Any, values: Sequence[Any]) -> None:
        if settings.DATABASE_PREPARE:
            self._prepare(cursor.db.connection)
            cursor.execute(self._call, values)
        else:
            cursor.execute(self._text, dict(zip(self._names, values, strict=True)))

    def _prepare(self, line: Any) -> None:
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

    def __init__(self, sql: str, **tables: type[Model]) -> None:
        super().__init__(sql)
        self._tables = tables

    def all(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row as a tuple of instances, in the order of the models."""
        return [tuple(_instance(shape, row) for shape in self._shapes) for row in super().all(parameters)]

    @cached_property
    def _text(self) -> str:
        columns = {
            alias: ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)
            for alias, model in self._tables.items()
        }
        return self._sql.format(**columns)

    @cached_property
    def _shapes(self) -> list[_Shape]:
        shapes = []
        start = 0
        for model in self._tables.values():
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
    # What `from_db` makes of a whole row, without asking for each column whether it is deferred: a third of its time.
    instance = shape.model.__new__(shape.model)
    instance._state = ModelState()
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
    instance.__dict__.update(zip(shape.attributes, values, strict=True))
    return instance


def insert(*instances: Model) -> None:
    """Write a few new rows, of one table or of several, with one statement: all of them or none.

    What the database fills by itself (a `db_default`, a key that counts up) is left to it and not read back; no signals
    are sent. Raises what `save(force_insert=True)` raises.
    """
    statement, shapes = _inserting(tuple(type(instance) for instance in instances))
    values: list[Any] = []
    for instance, (read, adapted) in zip(instances, shapes, strict=True):
        start = len(values)
        values += read(instance)
        for place, field in adapted:
            values[start + place] = field.get_db_prep_save(values[start + place], connection)
    statement.run(values)
    for instance in instances:
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS


# What the driver writes of these as it is; the others know how they are stored.
_PLAIN = (
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.FloatField,
    models.ForeignKey,
    models.GenericIPAddressField,
    models.IntegerField,
    models.TextField,
    models.UUIDField,
)


class _Written(NamedTuple):
    """How one model becomes values: what reads its attributes, and which of them its fields have to adapt."""

    read: attrgetter[tuple[Any, ...]]
    adapted: list[tuple[int, Field[Any, Any]]]


@lru_cache(maxsize=64)
def _inserting(tables: tuple[type[Model], ...]) -> tuple[Prepared, list[_Written]]:
    """The statement for rows of these models in this order, and how they become its parameters."""
    parameters = count()
    texts, shapes = [], []
    for model in tables:
        fields = [field for field in model._meta.concrete_fields if not _is_filled(field)]
        names = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(f"%(v{next(parameters)})s" for _ in fields)
        texts.append(f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({values})')  # noqa: S608 -- names of models
        adapted = [(place, field) for place, field in enumerate(fields) if not isinstance(field, _PLAIN)]
        shapes.append(_Written(attrgetter(*(field.attname for field in fields)), adapted))
    *others, last = texts
    beside = ", ".join(f"row{place} AS ({text})" for place, text in enumerate(others))
    return Prepared(f"WITH {beside} {last}" if others else last), shapes


def _is_filled(field: Field[Any, Any]) -> bool:
    return isinstance(field, models.AutoField) or field.db_default is not NOT_PROVIDED
