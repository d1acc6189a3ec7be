"""Standing orders and scheduled transfers: the list, a new one with its preview, and one with its days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts import queries as accounts
from common.errors import DomainError, NotFound
from common.money import display
from identity import queries as identity
from payments import queries, services
from payments.forms import StandingOrderForm
from payments.models import Channel, Kind, StandingOrder, StandingRun
from payments.queries import StandingOrderDocument
from payments.views.base import PaymentPage
from payments.views.rows import account_label


class _StandingOrdersSection(PaymentPage):
    nav_active = "standing_orders"


class StandingOrdersPage(_StandingOrdersSection):
    def get(self, request: HttpRequest) -> HttpResponse:
        orders = queries.standing_orders_for(self.actor)
        return self.page(
            "standing_orders",
            {"open": [one for one in orders if one.is_open], "over": [one for one in orders if not one.is_open]},
        )


class NewStandingOrderPage(_StandingOrdersSection):
    """Filled in, shown with its next days, then confirmed with the PIN; the preview carries the answers along."""

    def get(self, request: HttpRequest) -> HttpResponse:
        holdings = accounts.accounts_for(self.actor)
        usable = [str(holding.account.pk) for holding in holdings if holding.account.is_active]
        initial = {"first_date": timezone.localdate(), "rhythm": "MONTH-1", "debit_account": (usable or [""])[0]}
        return self._form(StandingOrderForm(holdings=holdings, initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        typed = request.POST.copy()
        if "confirm" not in typed:
            # One for each preview: the second of two clicks finds the order of the first.
            typed["client_id"] = str(uuid4())
        form = StandingOrderForm(typed, holdings=accounts.accounts_for(self.actor))
        if not form.is_valid():
            return self._form(form, status=422)
        now = timezone.now()
        try:
            draft = services.draft_standing_order(actor=self.actor, now=now, **form.order_facts())
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            form.attach(error)
            return self._form(form, status=422)
        if "confirm" not in request.POST:
            return self._preview(form, draft)
        try:
            order = services.make_standing_order(
                draft=draft, pin=form.cleaned_data["pin"], client_id=form.cleaned_data["client_id"], now=now
            )
        except DomainError as error:
            form.attach(error)
            return self._preview(form, draft, status=422)
        messages.success(request, "Your standing order is set up.")
        return redirect("payments:standing_order", order_id=order.pk)

    def _form(self, form: StandingOrderForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "can_pay": bool(form.holdings), "crumbs": _crumbs("New")}
        return self.page("standing_order_new", context, status=status)

    def _preview(self, form: StandingOrderForm, draft: StandingOrder, *, status: int = 200) -> HttpResponse:
        document = queries.standing_order_document(draft)
        context = {
            "form": form,
            "order": document,
            "rows": order_rows(document),
            "needs_pin": not identity.has_pin(self.actor),
            "crumbs": _crumbs("Review"),
        }
        return self.page("standing_order_review", context, status=status)


class StandingOrderPage(_StandingOrdersSection):
    def get(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        try:
            order = queries.get_standing_order_for(actor=self.actor, order_id=order_id)
        except NotFound as error:
            raise Http404 from error
        runs = queries.runs_of(actor=self.actor, order_id=order_id)
        context = {
            "order": order,
            "rows": order_rows(order),
            "runs": [_run(run) for run in runs],
            "crumbs": _crumbs(order.payee_name),
        }
        return self.page("standing_order", context)


class ChangeStandingOrder(_StandingOrdersSection):
    """One button of the order's page."""

    http_method_names = ["post"]
    change: Callable[..., StandingOrder] = staticmethod(services.skip_next_run)
    done = ""

    def post(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        try:
            order = self.change(actor=self.actor, order_id=order_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, f"{self.done}{_what_comes(order)}")
        return redirect("payments:standing_order", order_id=order_id)


def _what_comes(order: StandingOrder) -> str:
    """The end of the word about a change; nothing when no payment is expected any more."""
    if order.status == StandingOrder.Status.ENDED:
        return " No day is left, so it has ended."
    if order.status == StandingOrder.Status.ACTIVE and order.next_date is not None:
        return f" The next payment is on {date_format(order.next_date, 'j M Y')}."
    return ""


def order_rows(order: StandingOrderDocument) -> list[dict[str, Any]]:
    """A standing order as definition rows."""
    rows: list[dict[str, Any]] = [
        {"label": "From", "value": account_label(order.account), "note": order.account.grouped_number},
        {"label": "To", "value": order.payee_name, "note": order.payee_number},
        {"label": "Amount", "value": display(order.amount), "money": True},
        {"label": "How often", "value": order.how_often},
        {"label": "First day" if order.how_often != "Once" else "Day", "value": date_format(order.first_date, "j M Y")},
    ]
    cost = queries.cost_of(order.account, order.amount, kind=Kind(order.kind), channel=Channel.ORDER, at=timezone.now())
    if order.is_open and cost.fee.amount_minor:
        note = f"At today's fees: {cost.fee_note}"
        rows.insert(3, {"label": "Fee for each payment", "value": display(cost.fee), "note": note, "money": True})
    if order.last_date is not None:
        rows.append({"label": "Last day", "value": date_format(order.last_date, "j M Y")})
    if order.description:
        rows.append({"label": "Description", "value": order.description})
    return rows


def _run(run: StandingRun) -> dict[str, Any]:
    url = reverse("payments:receipt", args=[run.payment.pk]) if run.payment else ""
    status = StandingRun.Status(run.status)
    text = run.failure_text
    if status is StandingRun.Status.WAITING and run.attempts and run.next_attempt_at is not None:
        again = date_format(timezone.localtime(run.next_attempt_at), "j M, H:i")
        text = f"There was not enough money. We try again on {again}."
    state = run.payment.status if run.payment else {"FAILED": "failed", "WAITING": "pending"}.get(run.status, "")
    label = run.payment.get_status_display() if run.payment else status.label
    return {"due": run.due_date, "state": state, "label": label, "text": text, "url": url}


def _crumbs(label: str) -> list[dict[str, str]]:
    return [{"label": "Standing orders", "url": reverse("payments:standing_orders")}, {"label": label}]
