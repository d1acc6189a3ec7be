"""FLAT: interest on the original principal over the whole term, in equal parts."""

from __future__ import annotations

from fractions import Fraction

from loans.rules.amounts import Rounding, divide_to
from loans.rules.instalments import Parts
from loans.rules.periods import Periods
from loans.rules.terms import Terms


def parts(terms: Terms, periods: Periods) -> Parts:
    """Principal and interest of each row. The last one takes what rounding left of both.

    With `instalment_multiple` the instalment is rounded and the principal is what interest leaves of it (Fineract).
    Interest of the grace falls due with the first instalment after it.
    """
    balance, count = terms.principal_minor, terms.instalments
    interest = interest_rows(terms, periods)
    share = _rounded(terms, Fraction(balance, count - terms.principal_grace), 1, terms.interest_rounding)
    if terms.instalment_multiple_minor is not None:
        exact = Fraction(balance, count - terms.principal_grace) + Fraction(sum(interest), count)
        instalment = _rounded(terms, exact, terms.instalment_multiple_minor, terms.instalment_rounding)
        share = max(instalment - interest[0], 0)
    principal: list[int] = []
    for index in range(count):
        wanted = share if index >= terms.principal_grace else 0
        paid = balance if index == count - 1 else min(wanted, balance)
        principal.append(paid)
        balance -= paid
    grace = terms.interest_grace
    if grace:
        interest = [*[0] * grace, sum(interest[: grace + 1]), *interest[grace + 1 :]]
    return Parts(principal, interest, target=share)


def interest_rows(terms: Terms, periods: Periods) -> list[int]:
    """The interest each row earns, before any grace moves it."""
    years = sum((Fraction(*factor) for factor in periods.factors), Fraction(0))
    total = _rounded(terms, terms.principal_minor * years, 1, terms.interest_rounding)
    each = _rounded(terms, terms.principal_minor * years / terms.instalments, 1, terms.interest_rounding)
    rows: list[int] = []
    for index in range(terms.instalments):
        due = total if index == terms.instalments - 1 else min(each, total)
        rows.append(due)
        total -= due
    return rows


def _rounded(terms: Terms, exact: Fraction, multiple: int, rounding: Rounding) -> int:
    unit = multiple if multiple > 1 else terms.amount_multiple_minor
    return divide_to(exact.numerator, exact.denominator, multiple=unit, rounding=rounding)
