"""A shape says what REST framework's own serializer of the same fields says, of whatever comes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.utils.encoders import JSONEncoder

from common.money import Money
from common.rest import MoneyTextField, faults
from common.shapes import Shape

IN = {
    "amount": MoneyTextField(),
    "note": serializers.CharField(max_length=6, required=False, default="", allow_blank=True),
    "exact": serializers.CharField(max_length=6, trim_whitespace=False, required=False),
    "number": serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None),
    "account": serializers.UUIDField(required=False),
    "country": serializers.RegexField(r"\A[A-Z]{2}\Z", required=False, default=""),
    "made": serializers.CharField(required=False, default=lambda: "made"),
    "secret": serializers.CharField(write_only=True, required=False),
}
OUT = {
    "id": serializers.UUIDField(),
    "amount": MoneyTextField(),
    "currency": serializers.CharField(source="amount.currency"),
    "owner": serializers.CharField(source="owner.name", allow_null=True),
    "missing": serializers.CharField(default="nothing"),
    "left_out": serializers.CharField(required=False),
    "kind": serializers.ChoiceField(choices=["A", "B"]),
    "at": serializers.DateTimeField(allow_null=True),
    "secret": serializers.CharField(write_only=True),
}


def refuse_thirteen(attrs: Any) -> None:
    if attrs.get("number") == 13:
        raise serializers.ValidationError("Not this one.", code="unlucky")


def of(fields: dict[str, Any], base: type[Any], **more: Any) -> Any:
    return type("Shown", (base,), {**fields, "Meta": type("Meta", (), {"validators": [refuse_thirteen]}), **more})


OURS, THEIRS = of(IN, Shape), of(IN, serializers.Serializer)
BODIES: list[Any] = [
    {"amount": "1.00"},
    {"amount": 5, "note": "", "exact": " a ", "number": None, "account": str(uuid.UUID(int=7)), "country": "DE"},
    {"amount": " 5 ", "note": " abcdef ", "secret": "x", "unknown": 1},
    {"amount": "1", "note": "abcdefg", "exact": "1234567", "number": 0, "account": "x", "country": "de", "made": ""},
    {"amount": "1", "note": "Jürgen", "secret": "äöü\0"},
    {"amount": "1", "note": "Jürgens", "secret": "\ud800"},
    {"amount": "1", "note": "a\0b", "secret": None},
    {"amount": "1", "note": 12, "secret": True},
    {"amount": "1", "note": ["a"], "secret": {"a": 1}},
    {"amount": "1", "number": 13},
    {"amount": True},
    {"amount": 1.5},
    {"amount": "   "},
    {"amount": "9" * 25},
    {},
    [],
    "text",
    7,
    None,
]


def outcome(read: Any) -> Any:
    try:
        return dict(read())
    except ValidationError as refusal:
        return faults(refusal.detail)


def by_framework(body: Any) -> Any:
    serializer = THEIRS(data=body)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_reads_and_refuses_as_the_framework_does(body: Any) -> None:
    assert outcome(lambda: OURS.read(body)) == outcome(lambda: by_framework(body))
    assert outcome(lambda: OURS.read(body)) == outcome(lambda: by_framework(body)), "the second time as well"


def test_a_list_of_shapes_names_the_row_at_fault() -> None:
    rows = [{"amount": "1"}, {"amount": "", "note": "too long for it"}]
    found = []
    for child in (OURS, THEIRS):
        serializer = type("Many", (serializers.Serializer,), {"rows": child(many=True)})(data={"rows": rows})
        assert not serializer.is_valid()
        found.append(faults(serializer.errors))
    assert found[0] == found[1]
    assert {row["field"] for row in found[0]} == {"rows.1.amount", "rows.1.note"}


@dataclass
class Owner:
    name: str


@dataclass
class Thing:
    id: uuid.UUID
    amount: Money
    owner: Owner | None
    kind: str
    at: datetime | None
    secret: str = "s"


THINGS = [
    Thing(uuid.UUID(int=1), Money(1234, "EUR"), Owner("Ada"), "A", datetime(2026, 11, 22, 10, 15, tzinfo=UTC)),
    Thing(uuid.UUID(int=2), Money(5, "JPY"), None, "other", None),
]


@pytest.mark.parametrize("thing", [*THINGS, {"id": 1, "amount": Money(1, "EUR"), "kind": "", "at": None}], ids=repr)
def test_shows_what_the_framework_shows(thing: Any) -> None:
    ours, theirs = of(OUT, Shape), of(OUT, serializers.Serializer)
    if isinstance(thing, dict):
        ours, theirs = (of({"kind": OUT["kind"], "at": OUT["at"]}, base) for base in (Shape, serializers.Serializer))
    shown = theirs(thing).data
    assert ours.show(thing) == shown
    assert JSONEncoder().encode(ours(thing).data) == JSONEncoder().encode(shown)
    assert "secret" not in shown


def test_an_attribute_that_should_be_there_is_missed() -> None:
    with pytest.raises(AttributeError, match="kind"):
        of({"kind": OUT["kind"]}, Shape).show(Owner("Ada"))


def test_a_method_for_one_field_is_heard() -> None:
    def validate_note(self: Any, note: str) -> str:
        return note.upper()

    assert of(IN, Shape, validate_note=validate_note).read({"amount": "1", "note": "a"})["note"] == "A"
