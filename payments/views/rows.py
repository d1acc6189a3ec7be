"""Payments in words and rows, as pages show them."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Account
from common.money import display
from identity.models import User
from payments import queries
from payments.models import Kind, Status
from payments.queries import PaymentDocument, ReviewSummary


def account_label(account: Account) -> str:
    return account.nickname or account.product.name


def review_rows(review: ReviewSummary) -> list[dict[str, Any]]:
    """The review as definition rows."""
    rows: list[dict[str, Any]] = [
        {"label": "From", "value": account_label(review.account), "note": review.account.grouped_number}
    ]
    if review.kind == Kind.WITHDRAWAL:
        rows.append({"label": "To your account at another bank", "value": review.payee_number})
    else:
        rows.append({"label": "To", "value": review.payee_name, "note": review.payee_number})
    rows.append({"label": "Amount", "value": display(review.amount), "money": True})
    fee = display(review.fee) if review.fee.amount_minor else "None"
    rows.append({"label": "Fee", "value": fee, "note": review.fee_note, "money": True})
    if review.fee.amount_minor:
        rows.append({"label": "Leaves your account", "value": display(review.total), "money": True})
    if review.description:
        rows.append({"label": "Description", "value": review.description})
    rows.append({"label": "New balance", "value": display(review.balance_after), "money": True, "total": True})
    return rows


def receipt_rows(payment: PaymentDocument) -> list[dict[str, Any]]:
    """A payment as definition rows, for the party that looks at it."""
    own = {"value": account_label(payment.account), "note": payment.account.grouped_number}
    other = {"value": payment.other_name, "note": payment.other_number}
    incoming = payment.direction == "IN"
    rows: list[dict[str, Any]] = [
        {"label": "Outcome", "value": outcome_label(payment), "state": payment.status},
        {"label": "From", **(other if incoming else own)},
        {"label": "To", **(own if incoming else other)},
        {"label": "Amount", "value": display(payment.amount), "money": True},
    ]
    if payment.fee is not None and payment.fee.amount_minor:
        rows.append({"label": "Fee", "value": display(payment.fee), "note": payment.fee_note, "money": True})
    if payment.description:
        rows.append({"label": "Description", "value": payment.description})
    rows.append({"label": "Asked for", "value": date_format(payment.created_at, "j M Y, H:i") + " UTC"})
    if payment.decided_at is not None and payment.decided_at != payment.created_at:
        rows.append({"label": "Decided", "value": date_format(payment.decided_at, "j M Y, H:i") + " UTC"})
    if payment.reversed_at is not None:
        rows.append({"label": "Reversed", "value": date_format(payment.reversed_at, "j M Y, H:i") + " UTC"})
    rows.append({"label": "Reference", "value": str(payment.id)})
    return rows


def outcome_label(payment: PaymentDocument) -> str:
    if payment.status == Status.CANCELLED and payment.refusal_code == "expired":
        return "Expired"
    return str(Status(payment.status).label)


def title_of(payment: PaymentDocument) -> str:
    if payment.direction == "OWN":
        return f"To {payment.other_name}"
    if payment.kind in {Kind.DEPOSIT, Kind.WITHDRAWAL}:
        return payment.description or f"{payment.kind_label}: {payment.other_name}"
    return payment.other_name


def days_of(page: Page[Any], *, actor: User) -> list[dict[str, Any]]:
    """One page of payments by day, as the transaction list shows them."""
    documents = queries.documents(page.object_list, actor=actor)
    today = timezone.now().date()
    labels = {today: "Today", today - timedelta(days=1): "Yesterday"}
    return [
        {"label": labels.get(day) or date_format(day, "j M Y"), "entries": [_item(one) for one in group]}
        for day, group in groupby(documents, key=lambda one: one.created_at.date())
    ]


def _item(payment: PaymentDocument) -> dict[str, Any]:
    title = title_of(payment)
    text = payment.kind_label if title == payment.description else payment.description
    note = " · ".join(filter(None, [date_format(payment.created_at, "H:i"), text]))
    return {
        "title": title,
        "note": note,
        "amount": display(payment.total),
        "direction": payment.direction.lower(),
        "url": reverse("payments:receipt", args=[payment.id]),
        "state": payment.status,
        "state_label": outcome_label(payment),
    }
