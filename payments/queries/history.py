"""Reading payments and reviews. A customer sees what left or reached an own account, and no more of it than concerns them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth

from accounts import queries as accounts
from accounts.models import Account
from common.money import Money
from fraud.queries import desk as fraud
from fraud.queries.desk import ReviewState
from identity.models import User
from payments.errors import PaymentNotFound, ReviewNotFound
from payments.models import Kind, Payment, PaymentQuerySet, Review, Source, Status

Direction = Literal["IN", "OUT", "OWN"]

# What reached the payee: the rest is between the payer and the bank.
_PAYEE_SEES = [Status.COMPLETED, Status.REVERSED]


@dataclass(frozen=True, slots=True)
class PaymentDocument:
    """A payment as one of its parties may see it. `account` is the party's own account.

    `fee`, `fee_note`, `name_check`, `reasons`, `refusal_code`, `refusal_text` and `expires_at` are the payer's alone and empty for
    the payee. `other_number` is the other side's account number, masked unless the viewer typed it or owns it.
    """

    id: UUID
    kind: str
    status: str
    direction: Direction
    amount: Money
    fee: Money | None
    fee_note: str
    account: Account
    other_name: str
    other_number: str
    description: str
    name_check: str
    reasons: tuple[tuple[str, str], ...]
    refusal_code: str
    refusal_text: str
    created_at: datetime
    decided_at: datetime | None
    expires_at: datetime | None
    reversed_at: datetime | None

    @property
    def total(self) -> Money:
        """What left the account, or reached it."""
        return self.amount + self.fee if self.fee is not None else self.amount

    @property
    def kind_label(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def can_be_cancelled(self) -> bool:
        return self.status == Status.HELD


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """What the customer is shown before the PIN. `payment_id` is set once the review was confirmed."""

    id: UUID
    kind: str
    account: Account
    payee_name: str
    payee_number: str
    name_check: str
    name_hint: str
    amount: Money
    fee: Money
    fee_note: str
    total: Money
    balance_after: Money
    description: str
    country: str
    expires_at: datetime
    payment_id: UUID | None


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """Money in and out in one month and currency; transfers between own accounts do not count."""

    month: date
    currency: str
    income: Money
    spending: Money


@dataclass(frozen=True, slots=True)
class Figure:
    """Payments of one kind, outcome and currency in a period."""

    kind: str
    status: str
    currency: str
    count: int
    amount: Money


def history_for(actor: User) -> PaymentQuerySet:
    """Every payment the actor may see, newest first, ready for filters."""
    own = own_account_ids(actor)
    return (
        PaymentQuerySet(Payment)
        .with_parties()
        .filter(Q(debit_account__in=own) | Q(credit_account__in=own, status__in=_PAYEE_SEES))
        .order_by("-created_at", "pk")
    )


def held_for(actor: User) -> list[PaymentDocument]:
    """The actor's payments that wait for a decision, newest first."""
    held = PaymentQuerySet(Payment).with_parties().held().filter(debit_account__in=own_account_ids(actor))
    return documents(held.order_by("-created_at", "pk"), actor=actor)


def get_payment_for(*, actor: User, payment_id: UUID) -> PaymentDocument:
    """One payment of the actor. Raises PaymentNotFound, also when it is somebody else's or not for the payee to see."""
    payment = history_for(actor).filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound
    return document(payment, actor=actor)


def review_of(*, actor: User, payment_id: UUID) -> ReviewState:
    """How far the review of the actor's payment is; nothing to answer when there is none."""
    return fraud.review_of(actor=actor, subject_kind="payment", subject_id=payment_id)


def documents(payments: Iterable[Payment], *, actor: User) -> list[PaymentDocument]:
    listed = list(payments)
    payers = [one.debit_account for one in listed if one.debit_account and one.debit_account.owner_id != actor.pk]
    names = accounts.owner_display_names(payers)
    return [_document(payment, actor=actor, names=names) for payment in listed]


def document(payment: Payment, *, actor: User) -> PaymentDocument:
    """What the actor, a party to the payment, may see of it. Needs `with_parties`. Raises PaymentNotFound."""
    return documents([payment], actor=actor)[0]


def payers_called(actor: User, text: str) -> list[int]:
    """Ids of those who paid the actor and whose name, as the history shows it, has `text` in it.

    The name that somebody gave themselves is not searched once the bank knows a checked one: it is shown nowhere.
    """
    own = own_account_ids(actor)
    paid = Payment.objects.filter(credit_account__in=own).exclude(debit_account__owner=actor)
    payers = Account.objects.filter(pk__in=paid.values("debit_account")).select_related("owner")
    names = accounts.owner_display_names(payers)
    return [payer for payer, name in names.items() if text.casefold() in name.casefold()]


def _document(payment: Payment, *, actor: User, names: dict[int, str]) -> PaymentDocument:
    debit, credit = payment.debit_account, payment.credit_account
    pays = debit is not None and debit.owner_id == actor.pk
    receives = credit is not None and credit.owner_id == actor.pk
    own = debit if pays else credit
    if own is None or not (pays or receives):
        raise PaymentNotFound
    other_name, other_number = _seen_by_payer(payment) if pays else _seen_by_payee(payment, names)
    return PaymentDocument(
        id=payment.pk,
        kind=payment.kind,
        status=payment.status,
        direction="OWN" if pays and receives else "OUT" if pays else "IN",
        amount=payment.amount,
        fee=payment.fee if pays else None,
        fee_note=payment.fee_note if pays else "",
        account=own,
        other_name=other_name,
        other_number=other_number,
        description=payment.description,
        name_check=payment.payee_match if pays else "",
        reasons=tuple((reason["code"], reason["text"]) for reason in payment.reasons) if pays else (),
        refusal_code=payment.refusal_code if pays else "",
        refusal_text=payment.refusal_text if pays else "",
        created_at=payment.created_at,
        decided_at=payment.decided_at,
        expires_at=payment.expires_at if pays and payment.status == Status.HELD else None,
        reversed_at=payment.reversed_at,
    )


def slip(payment: Payment) -> PaymentDocument:
    """What whoever entered the payment gets back: their own view, or the customer's when staff or an integrator acted."""
    parties = [account for account in (payment.debit_account, payment.credit_account) if account is not None]
    owners = {account.owner_id: account.owner for account in parties}
    return document(payment, actor=owners.get(payment.initiated_by_id, parties[0].owner))


def get_review_for(*, actor: User, review_id: UUID) -> ReviewSummary:
    """The actor's own review, expired or used ones too. Raises ReviewNotFound."""
    review = Review.objects.filter(pk=review_id, actor=actor).first()
    if review is None:
        raise ReviewNotFound
    payload = review.payload
    account = accounts.get_account_for(actor=actor, account_id=UUID(payload["debit_account"]))
    amount, fee = Money(payload["amount_minor"], account.currency), Money(payload["fee_minor"], account.currency)
    payee_name = payload.get("payee_name", "")
    if payload["kind"] == Kind.OWN_TRANSFER:
        payee = accounts.get_account_for(actor=actor, account_id=UUID(payload["credit_account"]))
        payee_name = payee.nickname or payee.product.name
    return ReviewSummary(
        id=review.pk,
        kind=payload["kind"],
        account=account,
        payee_name=payee_name,
        payee_number=payload.get("payee_number", "") or payload.get("iban", ""),
        name_check=payload.get("name_check", ""),
        name_hint=payload.get("name_hint", ""),
        amount=amount,
        fee=fee,
        fee_note=payload.get("fee_note", ""),
        total=amount + fee,
        balance_after=accounts.holding_of(account).posted - amount - fee,
        description=payload["description"],
        country=payload["country"],
        expires_at=review.expires_at,
        payment_id=_payment_of(review),
    )


def monthly_totals(actor: User, *, since: datetime, until: datetime) -> list[MonthTotals]:
    """Income and spending per month and currency for payments completed in [since, until), oldest first."""
    own = own_account_ids(actor)
    completed = (
        Payment.objects.filter(status=Status.COMPLETED, decided_at__gte=since, decided_at__lt=until)
        .exclude(kind=Kind.OWN_TRANSFER)
        .annotate(month=TruncMonth("decided_at"))
        .values("month", "currency")
        .order_by("month", "currency")
    )
    spent = completed.filter(debit_account__in=own).annotate(sum_minor=Sum(F("amount_minor") + F("fee_minor")))
    earned = completed.filter(credit_account__in=own).annotate(sum_minor=Sum("amount_minor"))
    found: dict[tuple[date, str], dict[str, int]] = {}
    for name, rows in (("spending", spent), ("income", earned)):
        for row in rows:
            found.setdefault((row["month"].date(), row["currency"]), {})[name] = int(row["sum_minor"])
    return [
        MonthTotals(
            month=month,
            currency=currency,
            income=Money(totals.get("income", 0), currency),
            spending=Money(totals.get("spending", 0), currency),
        )
        for (month, currency), totals in sorted(found.items())
    ]


def figures(*, since: datetime, until: datetime) -> list[Figure]:
    """The bank's payments asked for in [since, until), by kind, outcome and currency."""
    rows = (
        Payment.objects.filter(created_at__gte=since, created_at__lt=until)
        .values("kind", "status", "currency")
        .annotate(count=Count("pk"), sum_minor=Sum("amount_minor"))
        .order_by("kind", "status", "currency")
    )
    return [
        Figure(
            kind=row["kind"],
            status=row["status"],
            currency=row["currency"],
            count=row["count"],
            amount=Money(int(row["sum_minor"]), row["currency"]),
        )
        for row in rows
    ]


def held_count() -> int:
    """How many payments of the bank wait for a decision."""
    return PaymentQuerySet(Payment).held().count()


def own_account_ids(actor: User) -> list[UUID]:
    """Read first, so that the payments are found through their account indexes."""
    return list(Account.objects.filter(owner_id=actor.pk).values_list("pk", flat=True))


def _payment_of(review: Review) -> UUID | None:
    if review.consumed_at is None:
        return None
    return Payment.objects.values_list("pk", flat=True).get(initiated_by_id=review.actor_id, client_id=review.pk)


def _seen_by_payer(payment: Payment) -> tuple[str, str]:
    credit = payment.credit_account
    if credit is None:
        name = "Account at another bank" if payment.source == Source.OUTSIDE else Source(payment.source).label
        return payment.payee_name or str(name), payment.outside_account
    if payment.kind == Kind.OWN_TRANSFER:
        return credit.nickname or credit.product.name, credit.grouped_number
    return payment.payee_name, credit.grouped_number


def _seen_by_payee(payment: Payment, names: dict[int, str]) -> tuple[str, str]:
    debit = payment.debit_account
    if debit is None:
        return str(Source(payment.source).label), ""
    return names[debit.owner_id], debit.masked_number
