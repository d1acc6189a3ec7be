"""The pure rules: names, costs, request numbers."""

from __future__ import annotations

import uuid

import pytest

from common.money import Money
from payments.rules import ibans
from payments.rules.costs import Cost, cost_without_fee, operation_of
from payments.rules.payees import check_name, initials
from payments.rules.requests import client_id_of, payload_hash


@pytest.mark.parametrize(
    ("typed", "actual", "result"),
    [
        ("Bob Baker", "Bob Baker", "MATCH"),
        ("  baker,  BOB ", "Bob Baker", "MATCH"),
        ("Mr Bob Baker", "Bob Baker", "MATCH"),
        ("Jose Muller", "José Müller", "MATCH"),
        ("Anna Strauss", "Anna Strauß", "MATCH"),
        ("Conor ONeill", "Conor O'Neill", "MATCH"),
        ("Alice Archer", "Alice Mary Archer", "MATCH"),
        ("Anna Smith Jones", "Anna Smith-Jones", "MATCH"),
        ("Bob Bakker", "Bob Baker", "CLOSE"),
        ("B Baker", "Bob Baker", "CLOSE"),
        ("Bob", "Bob Baker", "NO_MATCH"),
        ("Charlie Cole", "Bob Baker", "NO_MATCH"),
        ("", "Bob Baker", "NO_MATCH"),
        ("!!!", "Bob Baker", "NO_MATCH"),
    ],
)
def test_names_are_compared_as_people_write_them(typed: str, actual: str, result: str) -> None:
    assert check_name(typed=typed, actual=actual).result == result


def test_the_hint_never_tells_more_than_initials() -> None:
    assert check_name(typed="Bob Bakker", actual="Bob Baker").hint == "B. B."
    assert check_name(typed="Charlie Cole", actual="Bob Baker").hint == ""
    assert initials("Dr Anna Smith-Jones") == "A. S. J."


@pytest.mark.parametrize(
    ("kind", "channel", "source", "operation"),
    [
        ("TRANSFER", "PORTAL", "", "TRANSFER"),
        ("TRANSFER", "API", "", "TRANSFER"),
        ("TRANSFER", "ORDER", "", "STANDING_ORDER"),
        ("WITHDRAWAL", "PORTAL", "OUTSIDE", "WITHDRAWAL"),
        ("WITHDRAWAL", "ORDER", "OUTSIDE", "STANDING_ORDER"),
        ("WITHDRAWAL", "TELLER", "CASH", "CASH_WITHDRAWAL"),
        ("OWN_TRANSFER", "PORTAL", "", None),
        ("OWN_TRANSFER", "ORDER", "", None),
        ("DEPOSIT", "TELLER", "CASH", None),
    ],
)
def test_each_payment_is_charged_as_one_operation(kind: str, channel: str, source: str, operation: str | None) -> None:
    assert operation_of(kind=kind, channel=channel, source=source) == operation


def test_the_fee_comes_on_top_of_the_amount() -> None:
    amount = Money(10_000, "EUR")
    assert Cost(amount=amount, fee=Money(150, "EUR")).total == Money(10_150, "EUR")
    assert cost_without_fee(amount=amount).total == amount


def test_requests_are_told_apart_by_content_and_customer() -> None:
    assert payload_hash({"a": 1, "b": "x"}) == payload_hash({"b": "x", "a": 1})
    assert payload_hash({"a": 1}) != payload_hash({"a": 2})
    one, other = uuid.uuid4(), uuid.uuid4()
    assert client_id_of(customer=one, key="k") == client_id_of(customer=one, key="k")
    assert client_id_of(customer=one, key="k") != client_id_of(customer=other, key="k")


def test_ibans_are_checked() -> None:
    assert ibans.clean("de89 3704 0044 0532 0130 00") == "DE89370400440532013000"
    assert ibans.clean("DE88370400440532013000") is None
    assert ibans.clean("") is None
