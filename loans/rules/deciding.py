"""What the policy says to an application: approve, refer to an officer, decline; with reasons a customer can read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from loans.rules.income import Affordability
from loans.rules.scoring import Score

ARREARS_DECLINE_DAYS = 30


class Outcome(StrEnum):
    APPROVE = "APPROVE"
    REFER = "REFER"
    DECLINE = "DECLINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The policy's figures; amounts in minor units of the base currency, burdens in per cent of income."""

    approve_from_score: int
    refer_from_score: int
    approve_up_to_minor: int
    approve_up_to_burden: int
    decline_above_burden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What stands against a customer elsewhere in the bank."""

    kyc_approved: bool
    days_late_now: int
    fraud_cases_open: int
    fraud_refusals: int
    is_staff: bool
    # None: the amount has no rate to the base currency.
    amount_base_minor: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reasons: tuple[Reason, ...]


def decide(*, score: Score, affordability: Affordability, signals: Signals, limits: Limits) -> Verdict:
    """The hard refusals first, then what a person has to look at; what is left is approved."""
    refusals = _refusals(score, affordability, signals, limits)
    if refusals:
        return Verdict(Outcome.DECLINE, refusals)
    doubts = _doubts(score, affordability, signals, limits)
    return Verdict(Outcome.REFER, doubts) if doubts else Verdict(Outcome.APPROVE, ())


def _refusals(score: Score, affordability: Affordability, signals: Signals, limits: Limits) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if signals.days_late_now >= ARREARS_DECLINE_DAYS:
        found.append(Reason("arrears", "An instalment of another loan with us is more than 30 days late."))
    if affordability.burden_percent > limits.decline_above_burden:
        found.append(Reason("burden", "Your fixed payments, this loan included, would take too much of your income."))
    if score.total < limits.refer_from_score:
        found += [Reason(line.code, line.adverse) for line in score.adverse if line.code != "burden" or not found]
        found = found or [Reason("score", "Taken together, the figures do not carry this loan.")]
    return tuple(found)


def _doubts(score: Score, affordability: Affordability, signals: Signals, limits: Limits) -> tuple[Reason, ...]:
    amount = signals.amount_base_minor
    asked = (
        (not signals.kyc_approved, "kyc", "Your identity check is not complete."),
        (signals.days_late_now > 0, "arrears", "An instalment of another loan with us is late."),
        (signals.fraud_cases_open > 0, "fraud_open", "We are looking at a payment of yours."),
        (signals.fraud_refusals > 0, "fraud_refused", "We refused a payment of yours in the last three months."),
        (signals.is_staff, "staff", "You work here, so a colleague decides."),
        (
            not affordability.seen_income_minor,
            "income_unseen",
            "We do not see the income you state on your accounts with us.",
        ),
        (
            affordability.burden_percent > limits.approve_up_to_burden,
            "burden",
            "Your fixed payments are high beside your income.",
        ),
        (score.total < limits.approve_from_score, "score", "The figures need a closer look."),
        (
            amount is None or amount > limits.approve_up_to_minor,
            "amount",
            "A person decides about an amount of this size.",
        ),
    )
    return tuple(Reason(code, text) for held, code, text in asked if held)
