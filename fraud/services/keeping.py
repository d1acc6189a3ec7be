"""Decisions and their steps as rows, written with one statement and without instances: making those took longer.

Columns travel as one array for each kind of value, which the driver quotes once and the server reads as a whole: a cast of
its own for each of fifty texts took it longer. What has no array goes among the texts and is read with its column's own type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Model

from common.rows import Prepared
from fraud.models import Activity, Decision
from fraud.rules.features.storing import to_stored

# The values of a row by the names of its columns.
Row = Mapping[str, Any]
_VECTOR = "features"
_TEXT = "text"
# Kinds of columns that travel in an array of their own, by what the database calls them.
_ARRAYS = {
    "uuid": "uuid",
    "bigint": "bigint",
    "integer": "bigint",
    "smallint": "bigint",
    "timestamp with time zone": "timestamptz",
}


def keep_decision(decision: Row, step: Row | None = None) -> None:
    """Write a decision, and the customer's step that it is: both or none."""
    if step is None:
        _statement(Decision).run([*_arrays((Decision, decision)), _vector(decision)])
    else:
        _statement(Decision, Activity).run([*_arrays((Decision, decision), (Activity, step)), _vector(decision)])


def keep_decisions(kept: Sequence[tuple[Row, Row]]) -> None:
    """As `keep_decision` for a few hundred with their steps, in one statement."""
    rows = [_arrays((Decision, decision), (Activity, step)) for decision, step in kept]
    vectors = [_vector(decision) for decision, _ in kept]
    _statement(Decision, Activity, many=True).run([*map(list, zip(*rows, strict=True)), vectors])


def keep_step(step: Row) -> None:
    """Write a step of a decision that was made before."""
    _statement(Activity).run(_arrays((Activity, step)))


_compact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _vector(decision: Row) -> str:
    return _compact(to_stored(decision[_VECTOR]))


def _arrays(*rows: tuple[type[Model], Row]) -> list[str]:
    """The values of these rows as the text of an array of each kind, in the order of the columns."""
    texts = []
    for kind, write in _WRITERS.items():
        values: list[str] = []
        for model, row in rows:
            values += [write(row[name]) for name in _columns(model)[kind]]
        texts.append("{" + ",".join(values) + "}")
    return texts


def _plain(value: Any) -> str:
    return "NULL" if value is None else str(value)


def _hex(value: UUID | None) -> str:
    return "NULL" if value is None else value.hex


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=1024)
def _key(name: str) -> str:
    return _text(json.dumps(name) + ": ")[1:-1]


def _figures(value: Mapping[str, float]) -> str:
    """A JSON object of numbers: scores by layer, versions by rule."""
    return '"{' + ", ".join([_key(name) + repr(figure) for name, figure in value.items()]) + '}"'


def _list(value: list[Any]) -> str:
    return _text(json.dumps(value)) if value else "[]"


def _other(value: Any) -> str:
    """What is a text of a kind of its own, such as an outcome; else it has nothing in it that an array would read otherwise."""
    return _text(value) if isinstance(value, str) else str(value)


_TEXTS: Mapping[type, Callable[[Any], str]] = {
    NoneType: lambda _: "NULL",
    str: _text,
    float: repr,
    dict: _figures,
    list: _list,
}
_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "uuid": _hex,
    "bigint": _plain,
    "timestamptz": _plain,
    _TEXT: lambda value: _TEXTS.get(type(value), _other)(value),
}


@lru_cache(maxsize=4)
def _columns(model: type[Model]) -> Mapping[str, Mapping[str, str]]:
    """For each kind, the names of its columns (here attributes' as well) and how a value of the array becomes theirs."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in _WRITERS}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField) or field.attname == _VECTOR:
            continue
        kind = str(field.db_type(connection))
        array = _ARRAYS.get(kind, _TEXT)
        # A text becomes the column's without a cast: one to its length would cut.
        cast = "" if array != _TEXT or kind.startswith(("varchar", "text")) else f"::{kind}"
        found[array][field.attname] = cast
    return found


@lru_cache(maxsize=8)
def _statement(*tables: type[Model], many: bool = False) -> Prepared:
    """Insert a row of each table from the arrays of one row, or from each row of the arrays of many."""
    places = {kind: iter(range(1, 200)) for kind in _WRITERS}
    texts = [_insert(model, places, many=many) for model in tables]
    *others, last = texts
    beside = [f"beside{place} AS ({text})" for place, text in enumerate(others)]
    if many:
        beside.insert(0, _EACH)
    return Prepared(f"WITH {', '.join(beside)} {last}" if beside else last)


_EACH = f"""given AS MATERIALIZED (
    SELECT {", ".join(f"each.{kind}s::{kind}[] AS {kind}s" for kind in _WRITERS)}, each.{_VECTOR}
      FROM unnest({", ".join(f"%({kind}s)s::text[]" for kind in _WRITERS)}, %({_VECTOR})s::text[])
           AS each ({", ".join(f"{kind}s" for kind in _WRITERS)}, {_VECTOR})
)"""  # noqa: S608 -- names of this module


def _insert(model: type[Model], places: Mapping[str, Iterator[int]], *, many: bool) -> str:
    names, values = [], []
    for kind, columns in _columns(model).items():
        source = f"{kind}s" if many else f"(%({kind}s)s::{kind}[])"
        names += list(columns)
        values += [f"{source}[{next(places[kind])}]{cast}" for cast in columns.values()]
    if model is Decision:
        names.append(_VECTOR)
        values.append(f"{_VECTOR}::jsonb" if many else f"%({_VECTOR})s::jsonb")
    taken = f"SELECT {', '.join(values)} FROM given" if many else f"VALUES ({', '.join(values)})"  # noqa: S608
    return f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) {taken}"
