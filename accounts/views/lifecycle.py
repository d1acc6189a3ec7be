"""Waking an account that sleeps, and closing one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format

from accounts import queries, services
from accounts.forms import ClosingForm, ReactivationForm
from accounts.models import Account, Status
from accounts.queries import Holding
from accounts.queries.closing import Settlement, settlement
from accounts.views.base import AccountPage, own_account
from common import throttle
from common.errors import DomainError, TooMany
from common.money import display
from identity import queries as identity
from identity.models import User


class ReactivateAccount(AccountPage):
    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        if account.status != Status.DORMANT:
            return redirect("accounts:detail", account_id=account.pk)
        return self._ask(request, account, ReactivationForm())

    def post(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        form = ReactivationForm(request.POST)
        if form.is_valid():
            try:
                throttle.enforce(throttle.TRANSFERS, f"user:{request.user.pk}")
                services.reactivate_account(
                    actor=request.user, account_id=account_id, pin=form.cleaned_data["pin"], now=timezone.now()
                )
            except TooMany as error:
                return throttle.page(request, error)
            except DomainError as error:
                form.attach(error)
            else:
                messages.success(request, "Your account is active again.")
                return redirect("accounts:detail", account_id=account_id)
        return self._ask(request, account, form, status=422)

    def _ask(
        self, request: HttpRequest, account: Account, form: ReactivationForm, *, status: int = 200
    ) -> HttpResponse:
        holding = queries.holding_of(account)
        context: dict[str, Any] = {
            "account": account,
            "form": form,
            "rows": [
                {"label": "Account", "value": holding.name, "note": account.grouped_number},
                {"label": "Balance", "value": display(holding.posted), "money": True},
                {"label": "Last used by you", "value": date_format(account.active_at, "j M Y")},
            ],
            "needs_pin": not identity.has_pin(request.user),
            "crumbs": self.trail(account, "Reactivate"),
        }
        return self.page(request, "reactivate", context, status=status)


class CloseAccount(AccountPage):
    """What closing does, figure by figure, then the PIN. Figures that moved meanwhile are shown again."""

    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        due = settlement(account, now=timezone.now())
        form = ClosingForm(receivers=_receivers(request.user, due), initial={"expected_minor": due.rest.amount_minor})
        return self._ask(request, due, form)

    def post(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        due = settlement(account, now=timezone.now())
        form = ClosingForm(request.POST, receivers=_receivers(request.user, due))
        if form.is_valid():
            try:
                throttle.enforce(throttle.TRANSFERS, f"user:{request.user.pk}")
                services.confirm_closing(
                    actor=request.user,
                    account_id=account_id,
                    pin=form.cleaned_data["pin"],
                    expected_rest_minor=form.cleaned_data["expected_minor"],
                    payout_account_id=form.payout_account(),
                    now=timezone.now(),
                )
            except TooMany as error:
                return throttle.page(request, error)
            except DomainError as error:
                form.attach(error)
            else:
                messages.success(request, "You closed the account. Its statements stay here.")
                return redirect("accounts:detail", account_id=account_id)
        form.show_again(due.rest)
        return self._ask(request, due, form, status=422)

    def _ask(self, request: HttpRequest, due: Settlement, form: ClosingForm, *, status: int = 200) -> HttpResponse:
        account = due.account
        context: dict[str, Any] = {
            "account": account,
            "form": form,
            "obstacle": _closing_obstacle(due, has_receiver="payout" in form.fields),
            "rest": due.rest,
            "rows": _closing_rows(due),
            "needs_pin": not identity.has_pin(request.user),
            "crumbs": self.trail(account, "Close"),
        }
        return self.page(request, "close", context, status=status)


def _receivers(owner: User, due: Settlement) -> list[Holding]:
    if due.rest.amount_minor <= 0:
        return []
    return [
        other
        for other in queries.accounts_for(owner)
        if other.account.is_active
        and other.account.currency == due.account.currency
        and other.account.pk != due.account.pk
    ]


def _closing_rows(due: Settlement) -> list[dict[str, Any]]:
    """The settlement as definition rows; what does not apply is left out."""
    account = due.account
    rows: list[dict[str, Any]] = [
        {"label": "Account", "value": account.nickname or account.product.name, "note": account.grouped_number},
        {"label": "Balance", "value": display(due.posted), "money": True},
    ]
    if due.interest.amount_minor:
        note = "earned up to yesterday and not paid yet"
        rows.append({"label": "Interest", "value": f"+{display(due.interest)}", "note": note, "money": True})
    if due.overdraft_interest.amount_minor:
        rows.append({"label": "Overdraft interest", "value": display(-due.overdraft_interest), "money": True})
    rows.extend(
        {
            "label": f"Account fee, {date_format(fee.period, 'F Y')}",
            "value": display(-fee.amount),
            "note": fee.note,
            "money": True,
        }
        for fee in due.fees
    )
    label = "Still to be paid" if due.rest.amount_minor < 0 else "Rest, moved to another account of yours"
    rows.append({"label": label, "value": display(due.rest), "money": True, "total": True})
    return rows


def _closing_obstacle(due: Settlement, *, has_receiver: bool) -> str:
    """What stands in the way of closing, in words; empty when nothing does."""
    account, rest = due.account, due.rest
    if account.status == Status.FROZEN:
        return "This account is frozen. It can be closed once it is released."
    if account.status == Status.DORMANT:
        return "This account is dormant. Reactivate it, then close it."
    if account.status == Status.CLOSED:
        return "This account is closed already."
    if due.obstacles:
        return " ".join(due.obstacles)
    if due.held.amount_minor:
        return f"{display(due.held)} are reserved for a transfer under review. Wait until it is decided."
    if rest.amount_minor < 0:
        return f"Pay in {display(-rest)} first."
    if rest.amount_minor > 0 and not has_receiver:
        return f"{display(rest)} would be left and you have no other {account.currency} account that could take it."
    return ""
