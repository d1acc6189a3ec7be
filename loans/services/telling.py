"""What customers are told about their loans; the texts are in `notifications/rules/kinds.py`."""

from __future__ import annotations

from datetime import date

from django.urls import reverse
from django.utils.formats import date_format

from common.money import Money, display
from common.rows import insert
from loans.models import Application, Loan
from notifications import services as notifications
from notifications.models import OutboxEvent


def tell_about(application: Application, kind: str, *, reason: str = "") -> None:
    notifications.notify(
        user_id=application.customer_id,
        kind=kind,
        data={
            "amount": display(application.amount),
            "product": application.product.name,
            "reason": reason,
            "url": reverse("loans:application", args=[application.pk]),
        },
    )


def tell(loan: Loan, kind: str, *, amount_minor: int | None = None, day: date | None = None, text: str = "") -> None:
    insert(telling(loan, kind, amount_minor=amount_minor, day=day, text=text))


def telling(
    loan: Loan, kind: str, *, amount_minor: int | None = None, day: date | None = None, text: str = ""
) -> OutboxEvent:
    """The row that `tell` writes, for callers that write many at once."""
    data = {
        "product": loan.product.name,
        "account": loan.account.masked_number,
        "text": text,
        "day": date_format(day, "j F Y") if day else "",
        "url": reverse("loans:loan", args=[loan.pk]),
    }
    if amount_minor is not None:
        data["amount"] = display(Money(amount_minor, loan.currency))
    return notifications.event(user_id=loan.customer_id, kind=kind, data=data)
