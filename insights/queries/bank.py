"""The state of the bank for its staff: queues, the day's figures, recent decisions. Who may see which is asked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Min, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, TruncDate

from accounts import queries as accounts
from accounts.models import Account, Status
from audit.models import AuditEvent
from common.money import Money
from fraud.models import (
    Case,
    CaseStatus,
    Dossier,
    DriftReport,
    EntryState,
    ListEntry,
    ModelState,
    ModelVersion,
    Rule,
    RuleState,
)
from fraud.queries import case_queue
from fraud.queries.credits import credits_to_review
from identity.models import User
from identity.permissions import Role
from kyc.models import Application, State
from ledger import queries as ledger
from loans import queries as loans
from payments import queries as payments
from payments.models import Payment
from payments.models import Status as PaymentStatus

CUSTOMER_DEPOSITS = "2100"
SOON = timedelta(hours=12)
CHART_DAYS = 14
DRIFT_TOLD_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits: `urgent` counts what needs somebody soon, `overdue` what should have been done by now, `oldest_at`
    is when the first of it came. An `alarm` says what is wrong; there is none while nothing is.
    """

    name: str
    count: int
    oldest_at: datetime | None = None
    urgent: int = 0
    overdue: int = 0
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the day; `money` in the base currency at reference rates, None where there is none."""

    name: str
    count: int | None
    money: Money | None = None


@dataclass(frozen=True, slots=True)
class DayOfPayments:
    day: date
    completed: int
    stopped: int


def queues(*, actor: User, now: datetime) -> list[Queue]:
    """The queues that the actor's permissions open."""
    parts: list[tuple[str, Callable[[], Queue]]] = [
        ("kyc_view", _kyc_queue),
        ("fraud_view", lambda: _fraud_queue(now)),
        ("fraud_view", lambda: _credit_queue(now)),
        ("loan_view", _loan_queue),
        ("payment_view", lambda: _held_queue(now)),
        ("account_view", _frozen_queue),
    ]
    if actor.has_perm("identity.fraud_view"):
        # Every held payment has its case: whoever sees the cases need not count the same work twice.
        parts = [part for part in parts if part[0] != "payment_view"]
    found = [queue() for permission, queue in parts if actor.has_perm(f"identity.{permission}")]
    return found + _fraud_approvals_and_drift(actor, now)


def next_applications(*, limit: int = 5) -> list[Application]:
    """The identity checks that wait longest."""
    waiting = Application.objects.filter(state=State.PENDING).order_by("submitted_at", "id")
    return list(waiting[:limit])


def next_cases(*, actor: User, limit: int = 5) -> list[Case]:
    """The most urgent open cases, without those given to a colleague or about the actor."""
    mine_or_free = Q(dossier__assigned_to=None) | Q(dossier__assigned_to=actor)
    waiting = case_queue().leading().filter(mine_or_free, status=CaseStatus.OPEN).exclude(customer_id=actor.public_id)
    return list(waiting[:limit])


def figures(*, actor: User, now: datetime) -> list[Figure]:
    """Today's figures, UTC, that the actor's permissions open."""
    found: list[Figure] = []
    rates = accounts.rates_to_base()

    def worth(amounts: list[Money]) -> Money:
        return Money(sum(accounts.to_base(amount, rates) or 0 for amount in amounts), settings.BASE_CURRENCY)

    if actor.has_perm("identity.payment_view"):
        rows = payments.figures(since=_midnight(now.astimezone(UTC).date()), until=now)
        done = [row for row in rows if row.status == PaymentStatus.COMPLETED]
        for name, kinds in (("deposits", {"DEPOSIT"}), ("transfers", {"TRANSFER", "OWN_TRANSFER"})):
            of_kind = [row for row in done if row.kind in kinds]
            found.append(Figure(name, sum(row.count for row in of_kind), worth([row.amount for row in of_kind])))
        found.append(Figure("refused", sum(row.count for row in rows if row.status == PaymentStatus.REFUSED)))
    if actor.has_perm("identity.user_view"):
        found.append(Figure("customers", _new_customers(now)))
    if actor.has_perm("identity.account_view"):
        rows_of_book = [row for row in ledger.trial_balance() if row.gl_code == CUSTOMER_DEPOSITS]
        held = [Money(row.credit_minor - row.debit_minor, row.currency) for row in rows_of_book]
        found.append(Figure("balances", None, worth(held)))
    return found


def recent_decisions(*, actor: User, limit: int = 8) -> list[AuditEvent]:
    """The newest decisions with a reason: everybody's for those who may read the trail, else the actor's own."""
    # What an officer decides about a case is written down for the case and for its payment: once is enough here.
    twice = ("payment.released", "payment.declined")
    events = AuditEvent.objects.select_related("actor").exclude(reason="").exclude(action__in=twice)
    if actor.has_perm("identity.audit_view"):
        events = events.filter(actor__is_staff=True)
    else:
        events = events.filter(actor=actor)
    return list(events.order_by("-id")[:limit])


def payments_by_day(*, actor: User, now: datetime) -> list[DayOfPayments]:
    """Payments of the last 14 days: completed, and stopped (held, refused, cancelled, reversed)."""
    if not actor.has_perm("identity.payment_view"):
        return []
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=CHART_DAYS - 1)
    rows = (
        Payment.objects.filter(created_at__gte=_midnight(first), created_at__lte=now)
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values_list("day", "status")
        .annotate(count=Count("pk"))
        .order_by("day", "status")
    )
    completed: dict[date, int] = {}
    stopped: dict[date, int] = {}
    for day, status, count in rows:
        side = completed if status == PaymentStatus.COMPLETED else stopped
        side[day] = side.get(day, 0) + count
    days = [first + timedelta(days=number) for number in range(CHART_DAYS)]
    return [DayOfPayments(day, completed.get(day, 0), stopped.get(day, 0)) for day in days]


def _kyc_queue() -> Queue:
    row = Application.objects.filter(state=State.PENDING).aggregate(count=Count("pk"), oldest=Min("submitted_at"))
    return Queue("kyc", row["count"], row["oldest"])


def _fraud_queue(now: datetime) -> Queue:
    """Open cases; urgent are those whose payment would soon expire undecided."""
    row = Dossier.objects.filter(closed_at=None).aggregate(
        count=Count("pk"), oldest=Min("opened_at"), overdue=Count("pk", filter=Q(due_at__lte=now))
    )
    return Queue("fraud", row["count"], row["oldest"], urgent=_held_queue(now).urgent, overdue=row["overdue"])


def _credit_queue(now: datetime) -> Queue:
    row = credits_to_review(now=now).aggregate(count=Count("pk"), oldest=Min("at"))
    return Queue("credits", row["count"], row["oldest"])


def _loan_queue() -> Queue:
    waiting = loans.queue().aggregate(count=Count("pk"), oldest=Min("submitted_at"))
    return Queue("loans", waiting["count"], waiting["oldest"])


def _fraud_approvals_and_drift(actor: User, now: datetime) -> list[Queue]:
    """What waits for a second person, and whether payments have drifted: one query, since every page asks.

    Of each kind few wait, so that rows are counted here; a report brings how many of its values drifted.
    """
    asked, names = [], []
    if actor.has_perm("identity.fraud_approve_rules"):
        asked += [
            _waiting("rules", Rule.objects.filter(state=RuleState.SHADOW), F("shadow_at")),
            _waiting("lists", ListEntry.objects.filter(state=EntryState.PENDING), F("created_at")),
            _waiting("models", ModelVersion.objects.filter(state=ModelState.NOMINATED), F("nominated_at")),
        ]
        names = ["rules", "lists", "models"]
    if actor.has_perm("identity.fraud_view"):
        reports = DriftReport.objects.filter(day__gte=now.date() - DRIFT_TOLD_FOR)
        drifted = Func(F("drifted"), function="jsonb_array_length", output_field=IntegerField())
        asked.append(_waiting("drift", reports, Cast("day", DateTimeField()), number=drifted))
    if not asked:
        return []
    rows = list(asked[0].union(*asked[1:], all=True))
    found = []
    for name in names:
        moments = [at for kind, at, _ in rows if kind == name]
        found.append(Queue(name, len(moments), min(moments, default=None)))
    latest = max(((at, number) for kind, at, number in rows if kind == "drift"), default=None)
    if latest is not None and latest[1]:
        found.append(Queue("drift", latest[1], alarm="Not as models learnt them: train a challenger"))
    return found


def _waiting(name: str, rows: QuerySet[Any], at: Combinable, *, number: Combinable | None = None) -> QuerySet[Any]:
    """(name, moment, number) of each row."""
    return rows.order_by().values_list(Value(name), at, Value(1) if number is None else number)


def _held_queue(now: datetime) -> Queue:
    row = Payment.objects.filter(status=PaymentStatus.HELD).aggregate(
        count=Count("pk"), oldest=Min("created_at"), urgent=Count("pk", filter=Q(expires_at__lte=now + SOON))
    )
    return Queue("held", row["count"], row["oldest"], urgent=row["urgent"])


def _frozen_queue() -> Queue:
    return Queue("frozen", Account.objects.filter(status=Status.FROZEN).count())


def _new_customers(now: datetime) -> int:
    since = _midnight(now.astimezone(UTC).date())
    return User.objects.filter(date_joined__gte=since, groups__name=Role.CUSTOMER).count()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
