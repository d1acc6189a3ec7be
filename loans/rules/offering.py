"""From a product's terms and a wish to the terms of one loan, as JSON fields that `parsing` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from loans.rules.calendar import Frequency, add_months
from loans.rules.collecting import Collecting
from loans.rules.parsing import parse_terms
from loans.rules.presenting import major
from loans.rules.terms import AnnuityRate, Terms

# More parts than these no product pays a loan out in.
MAX_TRANCHES = 4
# What an offer's terms say that the schedule does not need.
_BESIDE = frozenset({"later", "collecting", "cooling_off_days"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTerms:
    """What a product says about every loan of its kind. Amounts: minor units of `currency`; rates and shares: per cent."""

    currency: str
    frequency: str
    every: int
    method: str
    day_count: str
    fixed_instalment_percent: Decimal | None
    arrangement_fee_percent: Decimal
    arrangement_fee_minor: int
    instalment_fee_basis: str
    instalment_fee_minor: int
    instalment_fee_percent: Decimal
    penalty_basis: str
    penalty_minor: int
    penalty_percent: Decimal
    penalty_grace_days: int
    principal_grace: int
    interest_grace: int
    prepayment: str
    interest_basis: str
    payoff_interest: str
    allocation: Sequence[str]
    takes_partial: bool
    retries: int
    retry_days: int
    cooling_off_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What an offer promises beside the terms that make its schedule."""

    collecting: Collecting
    cooling_off_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A part of a loan that is paid out so many months after the first one. Minor units."""

    after_months: int
    amount_minor: int


def terms_fields(
    product: ProductTerms, *, amount_minor: int, instalments: int, annual_rate: Decimal, later: Sequence[Later] = ()
) -> dict[str, Any]:
    """The agreed terms but for the day they start on, JSON-safe.

    Of a loan that is paid out in parts, `principal` is the first one and `later` holds the others.
    """
    first_minor = amount_minor - sum(part.amount_minor for part in later)
    fields: dict[str, Any] = {
        "currency": product.currency,
        "principal": major(first_minor, product.currency),
        "frequency": product.frequency,
        "every": product.every,
        "method": product.method,
        "annual_rate": str(annual_rate),
        "instalments": instalments,
        "day_count": product.day_count,
        "principal_grace": product.principal_grace,
        "interest_grace": product.interest_grace,
        "prepayment": product.prepayment,
        "interest_basis": product.interest_basis,
        "payoff_interest": product.payoff_interest,
        "allocation": list(product.allocation),
        "fees": _fees(product),
    }
    if product.frequency != Frequency.MONTHS:
        # Weeks and days are of one length, and the instalment is that of their days; a 52nd of the year is not quite a week.
        fields["annuity_rate"] = AnnuityRate.NOMINAL_DAYS.value
    if product.fixed_instalment_percent is not None:
        fields["instalment_amount"] = major(share(amount_minor, product.fixed_instalment_percent), product.currency)
    if penalty := _penalty(product):
        fields["penalty"] = penalty
    fields["collecting"] = asdict(beside_of({}, product).collecting)
    fields["cooling_off_days"] = product.cooling_off_days
    if later:
        fields["later"] = [
            {"after_months": part.after_months, "amount": major(part.amount_minor, product.currency)} for part in later
        ]
    return fields


def share(amount_minor: int, percent: Decimal) -> int:
    """So many per cent of an amount, half to even, one minor unit at least."""
    return max(int((amount_minor * percent / 100).to_integral_value(rounding=ROUND_HALF_EVEN)), 1)


def _penalty(product: ProductTerms) -> dict[str, Any] | None:
    late = {"basis": product.penalty_basis, "grace_days": product.penalty_grace_days}
    if product.penalty_minor:
        return {**late, "amount": major(product.penalty_minor, product.currency)}
    return {**late, "percent": str(product.penalty_percent)} if product.penalty_percent else None


def _fees(product: ProductTerms) -> list[dict[str, str]]:
    found = []
    if product.arrangement_fee_percent:
        found.append({"timing": "DISBURSEMENT", "basis": "PRINCIPAL", "percent": str(product.arrangement_fee_percent)})
    if product.arrangement_fee_minor:
        amount = major(product.arrangement_fee_minor, product.currency)
        found.append({"timing": "DISBURSEMENT", "basis": "FLAT", "amount": amount})
    if product.instalment_fee_minor:
        amount = major(product.instalment_fee_minor, product.currency)
        found.append({"timing": "INSTALMENT", "basis": "FLAT", "amount": amount})
    if product.instalment_fee_percent:
        percent = str(product.instalment_fee_percent)
        found.append({"timing": "INSTALMENT", "basis": product.instalment_fee_basis, "percent": percent})
    return found


def beside_of(fields: Mapping[str, Any], product: ProductTerms) -> Beside:
    """What an offer says beside its schedule; an offer from before offers said it goes by the product."""
    by_product = {"partial": product.takes_partial, "retries": product.retries, "retry_days": product.retry_days}
    return Beside(
        collecting=Collecting(**fields.get("collecting", by_product)),
        cooling_off_days=fields.get("cooling_off_days", product.cooling_off_days),
    )


def starting(fields: Mapping[str, Any], start: date) -> dict[str, Any]:
    """The terms of a loan whose first part is paid out on a day, and no other one yet."""
    return {**{name: value for name, value in fields.items() if name not in _BESIDE}, "start_date": start.isoformat()}


def later_days(fields: Mapping[str, Any], start: date) -> list[tuple[date, str]]:
    """When the later parts are planned for, and their amounts as text."""
    return [(add_months(start, part["after_months"], start.day), part["amount"]) for part in fields.get("later", ())]


def terms_on(fields: Mapping[str, Any], start: date) -> Terms:
    """The terms of a loan that is paid out from `start` on as planned. Raises InvalidTerms."""
    later = later_days(fields, start)
    begun = starting(fields, start)
    if not later:
        return parse_terms(begun)
    parts = [(start, begun.pop("principal")), *later]
    del begun["start_date"]
    disbursements = [{"date": on.isoformat(), "amount": amount} for on, amount in parts]
    return parse_terms({**begun, "disbursements": disbursements})


def rate_for(score: int | None, *, base: Decimal, bands: Iterable[tuple[int, Decimal]]) -> Decimal:
    """The rate of the highest band that the score reaches; the base rate below all bands, or without a score."""
    reached = [band for band in bands if score is not None and score >= band[0]]
    return max(reached)[1] if reached else base
