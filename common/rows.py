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
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import Field, Model
from django.db.models.base import ModelState
from django.db.models.fields import NOT_PROVIDED

from common.db import database

M = TypeVar("M", bound=Model)
_PARAMETER = re.compile(r"%\((\w+)\)s")
_numbers = count(1)


def ask(statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
    """The rows of one statement."""
    here = database()
    return _answer(here, _line(here), statement, values)[1]


def _answer(here: Any, line: Any, statement: str, values: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """Description and rows. Django's cursor is there only when somebody listens: it takes longer than the driver."""
    if here.queries_logged or here.execute_wrappers:
        with here.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.description, cursor.fetchall()
    with here.wrap_database_errors, line.cursor() as own:
        own.execute(statement, values)
        return own.description, own.fetchall()


def _line(here: Any) -> Any:
    """The driver's connection, fit for a statement: what Django looks at before each."""
    here.close_if_health_check_failed()
    here.ensure_connection()
    here.validate_no_broken_transaction()
    return here.connection


class Prepared:
    """One statement with parameters `%(name)s`. The server must be able to tell their types, so some need a cast."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._name = f"bankportal_{next(_numbers)}"

    def all(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row."""
        return [self.read(row) for row in self.answer(parameters)[1]]

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a row of the server stands for."""
        return row

    def first(self, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.all(parameters)
        return found[0] if found else None

    def run(self, values: Sequence[Any], *, writes: bool = True) -> None:
        """For a statement of which nobody reads an answer: it travels with the next one (`DatabaseWrapper.later`).

        `values` are those of its parameters in their order. A lock writes nothing.
        """
        here = database()
        here.later(*self._statement(here, _line(here), values), writes=writes)

    def run_with(self, parameters: Mapping[str, Any]) -> None:
        """As `run`, with the parameters by name."""
        self.run([parameters[name] for name in self._names])

    def answer(self, parameters: Mapping[str, Any]) -> tuple[Any, list[tuple[Any, ...]]]:
        """Description and rows as the driver gives them."""
        here = database()
        line = _line(here)
        return _answer(here, line, *self._statement(here, line, [parameters[name] for name in self._names]))

    def text(self, given: Mapping[str, str]) -> str:
        """The statement with other text for some of its parameters."""
        return _PARAMETER.sub(lambda found: given.get(found[1], found[0]), self._text)

    def _statement(self, here: Any, line: Any, values: Sequence[Any]) -> tuple[str, Any]:
        """What to send, and with which values."""
        if not settings.DATABASE_PREPARE:
            return self._text, dict(zip(self._names, values, strict=True))
        if self._name not in line.prepared:
            with here.wrap_database_errors:
                self._prepare(line)
        return self._call, values

    def _prepare(self, line: Any) -> None:
        places = {name: f"${place}" for place, name in enumerate(self._names, start=1)}
        # A cursor of the driver's own: this is no query of the request that happens to come first.
        with line.cursor() as cursor:
            cursor.execute(f"PREPARE {self._name} AS " + _PARAMETER.sub(lambda found: places[found[1]], self._text))
        line.prepared.add(self._name)

    @cached_property
    def _text(self) -> str:
        return self._sql

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(_PARAMETER.findall(self._text)))

    @cached_property
    def _call(self) -> str:
        return f"EXECUTE {self._name} ({', '.join(['%s'] * len(self._names))})"


class Together:
    """Several questions asked at once. Each has one row at most; one may take its parameters from what another before it found.

    `Together(payee=(BY_NUMBER, {}), person=(PERSON, {"user": "payee.owner_id"}))`: for each question, what stands for its
    parameters in terms of the questions before it or of parameters of the whole; others keep their names.
    """

    def __init__(self, **questions: tuple[Prepared, Mapping[str, str]]) -> None:
        # For somebody who asks them with others of their own.
        self.parts = questions
        self._questions = {alias: question for alias, (question, _) in questions.items()}
        self._texts = {alias: question.text(given) for alias, (question, given) in questions.items()}
        self._ends: list[tuple[int, int]] = []

    def ask(self, parameters: Mapping[str, Any]) -> dict[str, tuple[Any, ...] | None]:
        """The row of each question, None where it found nothing."""
        description, [row] = self._whole.answer(parameters)
        if not self._ends:
            starts = [place for place, column in enumerate(description) if column[0] == _FOUND]
            self._ends = list(zip(starts, [*starts[1:], len(description)], strict=True))
        return {
            alias: question.read(row[start + 1 : end]) if row[start] else None
            for (alias, question), (start, end) in zip(self._questions.items(), self._ends, strict=True)
        }

    @cached_property
    def _whole(self) -> Prepared:
        parts = (
            f"LEFT JOIN LATERAL (SELECT true AS {_FOUND}, each.* FROM ({text}) AS each) AS {alias} ON true"  # noqa: S608
            for alias, text in self._texts.items()
        )
        columns = ", ".join(f"{alias}.*" for alias in self._questions)
        return Prepared(f"SELECT {columns} FROM (SELECT) AS once {' '.join(parts)}")  # noqa: S608 -- texts of ours


_FOUND = "question_has_a_row"


class _Shape(NamedTuple):
    """How one model is cut out of a row: its part of the columns, its key, its attributes, and what decodes some of them."""

    model: type[Model]
    start: int
    end: int
    key: int
    attributes: list[str]
    decoders: list[tuple[int, Callable[..., Any]]]


class Some(NamedTuple):
    """A model and the names of some of its fields, its key among them; none for all."""

    model: type[Model]
    names: str


class Rows(Prepared):
    """`Rows("SELECT {account}, {owner} FROM accounts_account account JOIN ...", account=Account, owner=User)`.

    Each name is the alias of a table and stands for all columns of its model; a row is a tuple of instances (None where
    an outer join found nothing), and of the further columns as they come. `Some(User, "id email")` in place of a model
    stands for these columns; each costs the driver a microsecond or two, and the others are fetched when somebody asks.
    """

    def __init__(self, sql: str, **tables: type[Model] | Some) -> None:
        super().__init__(sql)
        self._tables = {alias: table if isinstance(table, Some) else Some(table, "") for alias, table in tables.items()}

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The instances in the order of the models."""
        shapes = self._shapes
        return (*(_instance(shape, row) for shape in shapes), *row[shapes[-1].end :])

    @cached_property
    def _text(self) -> str:
        columns = {
            alias: ", ".join(f'{alias}."{field.column}"' for field in _fields(some))
            for alias, some in self._tables.items()
        }
        return self._sql.format(**columns)

    @cached_property
    def _shapes(self) -> list[_Shape]:
        shapes = []
        start = 0
        for some in self._tables.values():
            fields = _fields(some)
            decoders = [
                (place, decode) for place, field in enumerate(fields) for decode in field.get_db_converters(connection)
            ]
            end = start + len(fields)
            key = start + [field.primary_key for field in fields].index(True)
            shapes.append(_Shape(some.model, start, end, key, [field.attname for field in fields], decoders))
            start = end
        return shapes


def _fields(some: Some) -> list[Field[Any, Any]]:
    wanted = some.names.split()
    return [field for field in some.model._meta.concrete_fields if not wanted or field.name in wanted]


def _instance(shape: _Shape, row: tuple[Any, ...]) -> Model | None:
    if row[shape.key] is None:
        return None
    values = list(row[shape.start : shape.end])
    for place, decode in shape.decoders:
        values[place] = decode(values[place], None, connection)
    # What `from_db` makes of a whole row, without asking for each column whether it is deferred: a third of its time.
    instance = shape.model.__new__(shape.model)
    instance._state = ModelState()
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
    instance.__dict__.update(zip(shape.attributes, values, strict=True))
    return instance


def fresh(model: type[M], /, **values: Any) -> M:
    """A new instance for `insert`, as `model(**values)` makes it but in a third of the time: nothing is checked, no signals."""
    plan = _newborn(model)
    instance = model.__new__(model)
    instance._state = ModelState()
    for name, column in plan.relations:
        if name in values:
            related = values.pop(name)
            instance._state.fields_cache[name] = related
            values[column] = related.pk if related is not None else None
    made = {name: default() for name, default in plan.made if name not in values}
    instance.__dict__.update(plan.plain | made | values)
    return instance


class _Newborn(NamedTuple):
    """How an instance begins: values that are the same each time, those that are made, and relations with their attributes."""

    plain: dict[str, Any]
    made: list[tuple[str, Callable[[], Any]]]
    relations: list[tuple[str, str]]


@lru_cache(maxsize=16)
def _newborn(model: type[Model]) -> _Newborn:
    # With what stands for a `db_default` too, so that `bulk_create` writes such an instance as well.
    fields = model._meta.concrete_fields
    return _Newborn(
        {field.attname: field.get_default() for field in fields if not _is_made(field)},
        [(field.attname, field.get_default) for field in fields if _is_made(field)],
        [(field.name, field.attname) for field in fields if field.is_relation],
    )


def _is_made(field: Field[Any, Any]) -> bool:
    return field.has_default() and callable(field.default)


def insert(*instances: Model) -> None:
    """Write a few new rows, of one table or of several, with one statement: all of them or none.

    What the database fills by itself (a `db_default`, a key that counts up) is left to it and not read back; no signals
    are sent. Raises what `save(force_insert=True)` raises, but in a transaction only at the next statement, at the end of
    the savepoint or at the commit, because it does not wait for the server.
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
