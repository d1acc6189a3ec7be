"""How suspicious it is that money arrives: what accounts that pass on stolen money look like. Pure.

A credit needs no answer: the money is there. So it is scored by a worker, and a person looks at what stands out.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fraud.rules.facts import Reason
from fraud.rules.judging import EACH_FURTHER_FLAG, FIRST_FLAG, HIGHEST_FLAGGED

DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)
MANY_PAYERS = 5
# Passing on: so many credits of at least this sum in a week, of which this share has left again.
PASSED_CREDITS, PASSED_LEAST_MINOR, PASSED_SHARE = 3, 1_000_00, 0.9
# Far above: the day's credits beside all of the thirty days before it.
FAR_LEAST_MINOR, FAR_TIMES = 5_000_00, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Money that arrived. `subject_kind` and `subject_id` name the payment in its owner's tables, `payer_ref` where it came
    from: an account, or the source of a deposit.

    Amounts are minor units; `amount_base_minor` is in the base currency, None without a reference rate. The labels are
    shown to analysts. `at` is timezone-aware.
    """

    subject_kind: str
    subject_id: uuid.UUID
    customer_id: uuid.UUID
    account_ref: uuid.UUID
    account_label: str
    payer_ref: str
    payer_label: str
    amount_minor: int
    currency: str
    amount_base_minor: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of the account at a credit, which counts too; minor units of the base currency."""

    payers_day: int
    credits_week: int
    received_day_minor: int
    received_week_minor: int
    received_month_before_minor: int
    sent_week_minor: int
    frauds_month: int


def judge_credit(around: Around) -> tuple[float, tuple[Reason, ...]]:
    """A score from 0 to 0.79, as soft rules give it, and why."""
    reasons = tuple(Reason(code, text, detail(around)) for code, text, hits, detail in _SIGNS if hits(around))
    if not reasons:
        return 0.0, ()
    return round(min(FIRST_FLAG + EACH_FURTHER_FLAG * (len(reasons) - 1), HIGHEST_FLAGGED), 2), reasons


def _passes_on(around: Around) -> bool:
    received = around.received_week_minor
    return (
        around.credits_week >= PASSED_CREDITS
        and received >= PASSED_LEAST_MINOR
        and around.sent_week_minor >= PASSED_SHARE * received
    )


def _far_above(around: Around) -> bool:
    before = around.received_month_before_minor
    return before > 0 and around.received_day_minor >= max(FAR_LEAST_MINOR, FAR_TIMES * before)


_SIGNS: tuple[tuple[str, str, Callable[[Around], bool], Callable[[Around], str]], ...] = (
    (
        "PAID_BY_FRAUD",
        "Payments to this account were confirmed as fraud.",
        lambda around: around.frauds_month > 0,
        lambda around: f"{around.frauds_month} in 30 days",
    ),
    (
        "MANY_PAYERS",
        "Many different payers in a day.",
        lambda around: around.payers_day >= MANY_PAYERS,
        lambda around: f"{around.payers_day} in 24 hours",
    ),
    (
        "PASSES_ON",
        "What arrives leaves again.",
        _passes_on,
        lambda around: (
            f"{100 * around.sent_week_minor / around.received_week_minor:.0f} % of {around.credits_week} credits in 7 days"
        ),
    ),
    (
        "FAR_ABOVE",
        "Far more than usually arrives.",
        _far_above,
        lambda around: (
            f"{around.received_day_minor / around.received_month_before_minor:.0f} times what the 30 days before brought"
        ),
    ),
)
