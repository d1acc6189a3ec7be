"""Decisions and their steps as rows, written with one statement and without instances: making those took longer.

All columns travel as one array of texts, which the driver quotes once, and the vector beside it. The server reads each
with its column's own type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from operator import attrgetter
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


def keep_decision(decision: Row, step: Row | None = None) -> None:
    """Write a decision, and the customer's step that it is: both or none."""
    if step is None:
        _statement(Decision).run([_array(Decision, decision), _vector(decision)])
    else:
        _statement(Decision, Activity).run([_array(Decision, decision, step), _vector(decision)])


def keep_decisions(kept: Sequence[tuple[Row, Row]]) -> None:
    """As `keep_decision` for a few hundred with their steps, in one statement."""
    rows = [_array(Decision, decision, step) for decision, step in kept]
    _statement(Decision, Activity, many=True).run([rows, [_vector(decision) for decision, _ in kept]])


def keep_step(step: Row) -> None:
    """Write a step of a decision that was made before."""
    _statement(Activity).run([_array(Activity, step)])


def _vector(decision: Row) -> str:
    return json.dumps(to_stored(decision[_VECTOR]))


def _array(model: type[Model], row: Row, step: Row | None = None) -> str:
    """The values as the text of one array, in the order of the columns."""
    values = [row[name] for name, _ in _columns(model)]
    if step is not None:
        values += [step[name] for name, _ in _columns(Activity)]
    return "{" + ",".join([_WRITERS.get(type(value), _other)(value) for value in values]) + "}"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: dict[str, Any] | list[Any]) -> str:
    return _text(json.dumps(value))


def _other(value: Any) -> str:
    """What is a text of a kind of its own, such as an outcome; else it has nothing in it that an array would read otherwise."""
    return _text(value) if isinstance(value, str) else str(value)


# By the type itself: of a row's fifty values most are numbers.
_WRITERS: Mapping[type, Callable[[Any], str]] = {
    NoneType: lambda _: "NULL",
    str: _text,
    int: str,
    float: str,
    UUID: attrgetter("hex"),
    dict: _json,
    list: _json,
}


@lru_cache(maxsize=4)
def _columns(model: type[Model]) -> list[tuple[str, str]]:
    """Name (here an attribute's as well) and type of each column of the array. Without its length: a cast would cut."""
    return [
        (field.attname, str(field.db_type(connection)).partition("(")[0])
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField) and field.attname != _VECTOR
    ]


@lru_cache(maxsize=8)
def _statement(*tables: type[Model], many: bool = False) -> Prepared:
    """Insert a row of each table from the parameter `row`, or from each of `rows`."""
    source = "row" if many else "(%(row)s::text[])"
    places = count(1)
    texts = [_insert(model, source, places, many=many) for model in tables]
    *others, last = texts
    beside = [f"beside{place} AS ({text})" for place, text in enumerate(others)]
    if many:
        beside.insert(0, _EACH)
    return Prepared(f"WITH {', '.join(beside)} {last}" if beside else last)


_EACH = """given AS MATERIALIZED (
    SELECT each.row::text[] AS row, each.features FROM unnest(%(rows)s::text[], %(features)s::text[]) AS each (row, features)
)"""


def _insert(model: type[Model], source: str, places: Iterable[int], *, many: bool) -> str:
    columns = _columns(model)
    names = [name for name, _ in columns]
    values = [f"{source}[{place}]::{kind}" for (_, kind), place in zip(columns, places, strict=False)]
    if model is Decision:
        names.append(_VECTOR)
        values.append("features::jsonb" if many else "%(features)s::jsonb")
    taken = f"SELECT {', '.join(values)} FROM given" if many else f"VALUES ({', '.join(values)})"  # noqa: S608
    return f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) {taken}"
