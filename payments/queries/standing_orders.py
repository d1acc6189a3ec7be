"""Reading standing orders and scheduled transfers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Account
from common.money import Money
from identity.models import User
from payments.errors import StandingOrderNotFound
from payments.models import Kind, StandingOrder, StandingRun
from payments.rules.calendar import Unit
from payments.rules.ibans import grouped

PREVIEWED = 3
_WORDS = {
    (Unit.WEEK, 1): "Each week",
    (Unit.MONTH, 1): "Each month",
    (Unit.MONTH, 3): "Each quarter",
    (Unit.MONTH, 12): "Each year",
}


@dataclass(frozen=True, slots=True)
class StandingOrderDocument:
    """A standing order as its customer sees it; `next_dates` are the next three due dates at most."""

    id: UUID
    kind: str
    status: str
    account: Account
    payee_name: str
    payee_number: str
    name_check: str
    amount: Money
    description: str
    unit: str
    every: int
    how_often: str
    first_date: date
    last_date: date | None
    next_dates: tuple[date, ...]

    @property
    def is_open(self) -> bool:
        return self.status in (StandingOrder.Status.ACTIVE, StandingOrder.Status.PAUSED)

    @property
    def is_paused(self) -> bool:
        return self.status == StandingOrder.Status.PAUSED

    @property
    def status_label(self) -> str:
        return str(StandingOrder.Status(self.status).label)


def standing_orders_for(actor: User) -> list[StandingOrderDocument]:
    """The actor's standing orders: those with a next date first, by that date; then the ended ones, newest first."""
    rows = sorted(
        _of(actor),
        key=lambda order: (order.next_date is None, order.next_date or date.max, -order.changed_at.timestamp()),
    )
    return [standing_order_document(order) for order in rows]


def get_standing_order_for(*, actor: User, order_id: UUID) -> StandingOrderDocument:
    """Raises StandingOrderNotFound, also when it is somebody else's."""
    order = _of(actor).filter(pk=order_id).first()
    if order is None:
        raise StandingOrderNotFound
    return standing_order_document(order)


def runs_of(*, actor: User, order_id: UUID, limit: int = 50) -> list[StandingRun]:
    """What became of the due dates of the actor's order, newest first."""
    runs = StandingRun.objects.filter(order_id=order_id, order__customer=actor)
    return list(runs.select_related("payment").order_by("-due_date")[:limit])


def standing_order_document(order: StandingOrder) -> StandingOrderDocument:
    """The order, kept or only drafted, in the customer's words."""
    return StandingOrderDocument(
        id=order.pk,
        kind=order.kind,
        status=order.status,
        account=order.debit_account,
        payee_name=payee_label(order),
        payee_number=order.credit_account.grouped_number if order.credit_account else grouped(order.iban),
        name_check=order.payee_match,
        amount=order.amount,
        description=order.description,
        unit=order.unit,
        every=order.every,
        how_often=how_often(unit=Unit(order.unit), every=order.every),
        first_date=order.first_date,
        last_date=order.last_date,
        next_dates=tuple(order.plan.dates_from(order.next_index, PREVIEWED)) if order.next_date else (),
    )


def payee_label(order: StandingOrder) -> str:
    """Who is paid, in the customer's own words."""
    if order.payee_name:
        return order.payee_name
    if order.kind == Kind.WITHDRAWAL:
        return "Account at another bank"
    assert order.credit_account is not None, "the database sees to it that a transfer has a payee"
    return order.credit_account.nickname or "Own account"


def how_often(*, unit: Unit, every: int) -> str:
    """`Each month`, `Every 2 weeks`, `Once`."""
    if unit is Unit.ONCE:
        return "Once"
    return _WORDS.get((unit, every), f"Every {every} {'weeks' if unit is Unit.WEEK else 'months'}")


def _of(actor: User) -> QuerySet[StandingOrder]:
    return StandingOrder.objects.filter(customer=actor).select_related(
        "debit_account__product", "credit_account__product"
    )
