"""The overview: the first page after the login."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views import View

from common.money import Money, display
from identity.access import PortalMixin
from insights import queries
from insights.queries import Activity, MonthFlow, Overview, Standing
from insights.rules.change import percent
from payments.queries import PaymentDocument

KYC_TODO: dict[str, tuple[str, str, str, str]] = {
    "": (
        "wait",
        "Confirm who you are",
        "We check your identity before we open an account.",
        "Start the identity check",
    ),
    "DRAFT": ("wait", "Finish the identity check", "You started it; your answers are kept.", "Go on"),
    "PENDING": ("info", "We are checking your documents", "Usually within one working day.", "See the state"),
    "REJECTED": ("bad", "We could not confirm who you are", "Read why and what you can do.", "Read the reason"),
    "EXPIRED": ("wait", "Renew the identity check", "Your last one is no longer valid.", "Start again"),
    "APPROVED": ("wait", "Renew the identity check", "Your last one is no longer valid.", "Start again"),
}


class Dashboard(PortalMixin, View):
    nav_active = "overview"

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        overview = queries.overview(actor=request.user, now=now)
        today = now.date()
        context = {
            "overview": overview,
            "todos": todos(overview.standing, has_account=bool(overview.holdings)),
            "stats": stats(overview.flow),
            "chart": chart(overview) if overview.holdings else None,
            "days": days(overview.activity, today),
            "many_currencies": len(overview.total.by_currency) > 1,
        }
        return render(request, "insights/dashboard.html", self.get_context_data(**context))


def todos(standing: Standing, *, has_account: bool) -> list[dict[str, str]]:
    """What waits for the customer, most pressing first; each one is an alert with a link (`page` is a URL name)."""
    found: list[dict[str, str]] = []
    if not standing.is_approved:
        kind, title, text, link = KYC_TODO[standing.kyc_state]
        found.append({"kind": kind, "title": title, "text": text, "link": link, "page": "kyc:start"})
    elif not has_account:
        found.append(_todo("ok", "You are verified", "Open your first account.", "Open an account", "accounts:open"))
    if standing.pin.is_locked:
        text = "Too many wrong tries locked it. Set a new one to move money again."
        found.append(_todo("bad", "Your transaction PIN is locked", text, "Set a new PIN", "identity:pin"))
    elif not standing.pin.is_set and standing.is_approved:
        text = "You confirm every transfer with it."
        found.append(_todo("wait", "Set a transaction PIN", text, "Set the PIN", "identity:pin"))
    if standing.held:
        found.append(_under_review(standing.held))
    return found


def _under_review(held: list[PaymentDocument]) -> dict[str, str]:
    first, *others = held
    if others:
        title, link, url = f"{len(held)} payments are under review", "See them", reverse("payments:history")
        url += "?status=HELD"
    else:
        title, link = f"{display(first.amount)} to {first.other_name} is under review", "See the payment"
        url = reverse("payments:receipt", args=[first.id])
    text = "The money is reserved. We tell you as soon as it is decided."
    return {"kind": "wait", "title": title, "text": text, "link": link, "url": url}


def _todo(kind: str, title: str, text: str, link: str, page: str) -> dict[str, str]:
    return {"kind": kind, "title": title, "text": text, "link": link, "page": page}


def stats(flow: MonthFlow) -> list[dict[str, str]]:
    """Income and spending so far this month, against the same days of last month."""
    span = _span(flow.last_since, flow.last_until - timedelta(days=1))
    month = date_format(flow.since, "F")
    return [
        _stat(f"Income in {month}", flow.income, flow.last_income, span, more_is_good=True),
        _stat(f"Spending in {month}", flow.spending, flow.last_spending, span, more_is_good=False),
    ]


def _stat(label: str, value: Money, before: Money, span: str, *, more_is_good: bool) -> dict[str, str]:
    # Nothing yet this month is no fall of a hundred per cent: the salary may just not have come.
    delta = percent(value.amount_minor, before.amount_minor) if value.amount_minor else ""
    tone = ""
    if delta and value != before:
        tone = "up" if (value > before) == more_is_good else "down"
    note = f"against {span}" if delta else f"{display(before)} {'from' if ' to ' in span else 'on'} {span}"
    return {"label": label, "figure": display(value), "delta": delta, "tone": tone, "note": note}


def _span(first: date, last: date) -> str:
    if first == last:
        return date_format(first, "j F")
    return f"{first.day} to {date_format(last, 'j F')}"


def chart(overview: Overview) -> dict[str, Any]:
    """The balance of the last 90 days: every day for the drawing, every week for the table."""
    points = overview.daily
    first, last = points[0][1], points[-1][1]
    low, high = min(amount.amount_minor for _, amount in points), max(amount.amount_minor for _, amount in points)
    base = settings.BASE_CURRENCY
    weekly = [*reversed(points[::-1][::7])]
    note = "in EUR at today's reference rates".replace("EUR", base) if len(overview.total.by_currency) > 1 else ""
    if overview.left_out:
        note = f"without {', '.join(overview.left_out)}"
    return {
        "kind": "line",
        "title": f"Balance, last {len(points)} days",
        "note": note,
        "summary": (
            f"From {display(first)} on {date_format(points[0][0], 'j F')} to {display(last)} today; "
            f"lowest {display(Money(low, base))}, highest {display(Money(high, base))}."
        ),
        "currency": base,
        "labels": [date_format(day, "j M") for day, _ in points],
        # Numbers for the drawing only; nothing is calculated with them.
        "series": [{"label": "Balance", "values": [float(amount.decimal) for _, amount in points]}],
        "columns": ["Day", "Balance"],
        "rows": [[date_format(day, "j M Y"), display(amount)] for day, amount in weekly],
    }


def days(activity: list[Activity], today: date) -> list[dict[str, Any]]:
    """Recent postings by day, as the transaction list shows them."""
    labels = {today: "Today", today - timedelta(days=1): "Yesterday"}
    return [
        {"label": labels.get(day) or date_format(day, "j M Y"), "entries": [_entry(posting) for posting in group]}
        for day, group in groupby(activity, key=lambda posting: posting.booked_at.date())
    ]


def _entry(posting: Activity) -> dict[str, str]:
    minor = posting.amount.amount_minor
    entry = {
        "title": posting.title,
        "note": " · ".join(filter(None, [date_format(posting.booked_at, "H:i"), posting.text, posting.holding.name])),
        "amount": display(Money(abs(minor), posting.amount.currency)),
        "direction": "in" if minor > 0 else "out",
    }
    if posting.payment_id:
        entry["url"] = reverse("payments:receipt", args=[posting.payment_id])
    return entry
