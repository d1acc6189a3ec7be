"""Terms from JSON and back: strict about names and types, and every refusal names its field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from common.errors import Invalid
from common.money import Money
from loans.errors import InvalidTerms
from loans.rules import terms as model
from loans.rules.amounts import Rounding
from loans.rules.calendar import DayCount, Frequency
from loans.rules.terms import Disbursement, Fee, Penalty, Terms

E = TypeVar("E", bound=StrEnum)
INSTALMENT_ROUNDINGS = {
    "NEAREST": Rounding.HALF_EVEN,
    "HALF_EVEN": Rounding.HALF_EVEN,
    "HALF_UP": Rounding.HALF_UP,
    "CEILING": Rounding.CEILING,
}
# fmt: off
_FIELDS = frozenset({
    "currency", "principal", "start_date", "disbursements", "method", "annual_rate", "instalments",
    "frequency", "every", "first_due_date", "seed_day", "day_count", "interest_rounding", "segment_rounding",
    "amount_multiple", "instalment_multiple", "instalment_rounding", "instalment_amount", "annuity_rate",
    "principal_grace", "interest_grace", "fees", "penalty", "prepayment", "interest_basis", "payoff_interest",
    "allocation",
})
# fmt: on


def load_json(text: str) -> dict[str, Any]:
    """A JSON object, its numbers exact. Raises InvalidTerms for anything else, a name given twice included."""
    return _mapping(_load(text), "terms")


def load_json_list(text: str) -> list[dict[str, Any]]:
    """A JSON list of objects, in the same way."""
    return [_mapping(item, f"events[{index}]") for index, item in enumerate(_list(_load(text), "events"))]


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as wrong:
        raise InvalidTerms("This is not valid JSON.", data={"detail": str(wrong)}) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def parse_terms(values: Mapping[str, Any]) -> Terms:
    """Terms from the fields of docs/loans.md, amounts in major units.

    Raises InvalidTerms naming the field that is unknown, missing, of the wrong type or out of its bounds.
    """
    known(values, _FIELDS, "")
    currency = _currency(values)
    read = Reader(values, currency)
    return Terms(
        currency=currency,
        disbursements=_disbursements(values, currency),
        method=read.required("method", read.choice(model.Method)),
        annual_rate=read.required("annual_rate", number),
        instalments=read.required("instalments", whole),
        frequency=read.optional("frequency", read.choice(Frequency), Frequency.MONTHS),
        every=read.optional("every", whole, 1),
        first_due_date=read.optional("first_due_date", day, None),
        seed_day=read.optional("seed_day", whole, None),
        day_count=read.optional("day_count", read.choice(DayCount), DayCount.THIRTY_360),
        interest_rounding=read.optional("interest_rounding", read.choice(Rounding), Rounding.HALF_EVEN),
        segment_rounding=read.optional(
            "segment_rounding", read.choice(model.SegmentRounding), model.SegmentRounding.EACH
        ),
        amount_multiple_minor=read.optional("amount_multiple", read.amount, 1),
        instalment_multiple_minor=read.optional("instalment_multiple", read.amount, None),
        instalment_rounding=read.optional("instalment_rounding", _instalment_rounding, Rounding.HALF_EVEN),
        instalment_amount_minor=read.optional("instalment_amount", read.amount, None),
        annuity_rate=read.optional("annuity_rate", read.choice(model.AnnuityRate), model.AnnuityRate.TWELFTH),
        principal_grace=read.optional("principal_grace", whole, 0),
        interest_grace=read.optional("interest_grace", whole, 0),
        fees=tuple(
            _fee(item, f"fees[{index}].", currency) for index, item in enumerate(read.optional("fees", _list, []))
        ),
        penalty=_penalty(values.get("penalty"), currency),
        prepayment=read.optional("prepayment", read.choice(model.Prepayment), model.Prepayment.NEXT_INSTALMENTS),
        interest_basis=read.optional("interest_basis", read.choice(model.InterestBasis), model.InterestBasis.PLANNED),
        payoff_interest=read.optional(
            "payoff_interest", read.choice(model.PayoffInterest), model.PayoffInterest.TO_DATE
        ),
        allocation=read.optional("allocation", read_allocation, model.DEFAULT_ALLOCATION),
    )


class Reader:
    """Reads one JSON object field by field; `prefix` says where it stands."""

    def __init__(self, values: Mapping[str, Any], currency: str, prefix: str = "") -> None:
        self.values, self.currency, self.prefix = values, currency, prefix

    def required(self, name: str, convert: Callable[[Any, str], Any]) -> Any:
        if self.values.get(name) is None:
            raise InvalidTerms(f"{self.prefix}{name} is missing.", field=self.prefix + name)
        return convert(self.values[name], self.prefix + name)

    def optional(self, name: str, convert: Callable[[Any, str], Any], default: Any) -> Any:
        return default if self.values.get(name) is None else convert(self.values[name], self.prefix + name)

    def choice(self, kind: type[E]) -> Callable[[Any, str], E]:
        def convert(value: Any, name: str) -> E:
            try:
                return kind(value)
            except ValueError:
                raise InvalidTerms(f"{name} is one of {', '.join(kind)}.", field=name) from None

        return convert

    def amount(self, value: Any, name: str) -> int:
        """Minor units of a positive amount in major units."""
        try:
            return Money.parse(value, self.currency, field=name).amount_minor
        except Invalid as wrong:
            raise InvalidTerms(f"{name}: {wrong.text}", field=name) from None


def known(values: Mapping[str, Any], names: frozenset[str], prefix: str) -> None:
    """Raises InvalidTerms for a field that nobody reads: a misspelt choice must not become a default."""
    for name in values:
        if name not in names:
            raise InvalidTerms(f"{prefix}{name} is not a field of this object.", field=f"{prefix}{name}")


def whole(value: Any, name: str) -> int:
    if type(value) is not int:
        raise InvalidTerms(f"{name} is a whole number.", field=name)
    return value


def number(value: Any, name: str) -> Decimal:
    """An exact decimal from JSON text or number, at most twelve decimals."""
    try:
        found = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite() or found.copy_abs() >= 10**6 or round(found, 12) != found:
        raise InvalidTerms(f"{name} is a number such as 7.5.", field=name)
    return found


def day(value: Any, name: str) -> date:
    """An ISO date; 29 February only exists in leap years, and so on."""
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise InvalidTerms(f"{name} is a date such as 2026-01-31 that the calendar has.", field=name)


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidTerms(f"{name} is a list.", field=name)
    return value


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidTerms(f"{name} is an object with named fields.", field=name)
    return value


def _currency(values: Mapping[str, Any]) -> str:
    currency = values.get("currency", "EUR")
    try:
        Money(0, currency)
    except (Invalid, TypeError):
        raise InvalidTerms("currency is an ISO 4217 code such as EUR.", field="currency") from None
    return str(currency)


def _disbursements(values: Mapping[str, Any], currency: str) -> tuple[Disbursement, ...]:
    read = Reader(values, currency)
    if "disbursements" not in values:
        return (
            Disbursement(on=read.required("start_date", day), amount_minor=read.required("principal", read.amount)),
        )
    for name in ("principal", "start_date"):
        if name in values:
            raise InvalidTerms(f"Give either {name} or disbursements.", field=name)
    found: list[Disbursement] = []
    for index, item in enumerate(_list(values["disbursements"], "disbursements")):
        prefix = f"disbursements[{index}]"
        known(_mapping(item, prefix), frozenset({"date", "amount"}), f"{prefix}.")
        part = Reader(item, currency, f"{prefix}.")
        found.append(Disbursement(on=part.required("date", day), amount_minor=part.required("amount", part.amount)))
    return tuple(found)


def _fee(item: Any, prefix: str, currency: str) -> Fee:
    known(_mapping(item, prefix[:-1]), frozenset({"timing", "basis", "amount", "percent"}), prefix)
    read = Reader(item, currency, prefix)
    return Fee(
        timing=read.required("timing", read.choice(model.FeeTiming)),
        basis=read.required("basis", read.choice(model.FeeBasis)),
        amount_minor=read.optional("amount", read.amount, 0),
        percent=read.optional("percent", number, Decimal(0)),
    )


def _penalty(item: Any, currency: str) -> Penalty | None:
    if item is None:
        return None
    known(_mapping(item, "penalty"), frozenset({"basis", "amount", "percent", "grace_days"}), "penalty.")
    read = Reader(item, currency, "penalty.")
    return Penalty(
        basis=read.required("basis", read.choice(model.PenaltyBasis)),
        amount_minor=read.optional("amount", read.amount, 0),
        percent=read.optional("percent", number, Decimal(0)),
        grace_days=read.optional("grace_days", whole, 0),
    )


def _instalment_rounding(value: Any, name: str) -> Rounding:
    if not isinstance(value, str) or value not in INSTALMENT_ROUNDINGS:
        raise InvalidTerms(f"{name} is one of {', '.join(INSTALMENT_ROUNDINGS)}.", field=name)
    return INSTALMENT_ROUNDINGS[value]


def read_allocation(value: Any, name: str) -> tuple[model.Bucket, ...]:
    """The order of a list of texts such as PAST_DUE:PENALTY. Raises InvalidTerms."""
    buckets: list[model.Bucket] = []
    for text in _list(value, name):
        when, _, part = text.partition(":") if isinstance(text, str) else ("", "", "")
        try:
            buckets.append((model.When(when), model.Part(part)))
        except ValueError:
            raise InvalidTerms(f"{name}: a bucket is such as PAST_DUE:PENALTY.", field=name) from None
    return tuple(buckets)
