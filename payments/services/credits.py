"""Money that arrived at customers' accounts, told to fraud, which scores it without anybody waiting."""

from __future__ import annotations

from datetime import datetime, timedelta

from fraud import services as fraud
from fraud.queries import credits as credit_scores
from fraud.rules.credits import Credit
from payments.models import Kind, Payment, Source, Status
from payments.services.orders import SUBJECT_KIND

AT_ONCE = 500


def score_credits(*, now: datetime, back: timedelta) -> int:
    """Have the credits of payments asked for in the last `back` scored, the oldest first. Returns how many were new."""
    paid = Payment.objects.filter(
        kind__in=[Kind.TRANSFER, Kind.DEPOSIT],
        status__in=[Status.COMPLETED, Status.REVERSED],
        credit_account__isnull=False,
        created_at__gt=now - back,
        created_at__lte=now,
    )
    fresh = credit_scores.without_score(paid, subject_kind=SUBJECT_KIND).order_by("created_at", "id")
    sides = ("credit_account__owner", "debit_account__owner")
    return fraud.score_credits([_credit(payment) for payment in fresh.select_related(*sides)[:AT_ONCE]], now=now)


def _credit(payment: Payment) -> Credit:
    account, debit = payment.credit_account, payment.debit_account
    assert account is not None, "asked for above"
    return Credit(
        subject_kind=SUBJECT_KIND,
        subject_id=payment.pk,
        customer_id=account.owner.public_id,
        account_ref=account.pk,
        account_label=f"{account.owner.get_full_name()}, {account.number}",
        payer_ref=str(debit.pk) if debit else str(payment.source),
        payer_label=f"{debit.owner.get_full_name()}, {debit.number}" if debit else Source(payment.source).label,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        amount_base_minor=payment.amount_base_minor,
        at=payment.decided_at or payment.created_at,
    )
