"""Amounts as people read them."""

from __future__ import annotations

import pytest
from babel.numbers import format_currency, list_currencies

from common.errors import Invalid
from common.money import LOCALE, MAX_MINOR, Money, display, exponent


def known() -> list[str]:
    found = []
    for currency in sorted(list_currencies()):
        try:
            exponent(currency)
        except Invalid:
            continue
        found.append(currency)
    return found


@pytest.mark.parametrize("minor", [0, 1, -1, 99, 100, -123_456, 12_345_678_901, MAX_MINOR, -MAX_MINOR])
def test_is_shown_as_babel_writes_it_in_every_currency(minor: int) -> None:
    currencies = known()
    assert {"EUR", "JPY", "KWD", "XCG"} <= set(currencies)
    for currency in currencies:
        money = Money(minor, currency)
        written = str(format_currency(money.decimal, currency, locale=LOCALE))
        assert display(money) == written.replace("-", "\u2212"), currency
