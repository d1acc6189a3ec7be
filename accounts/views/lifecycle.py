"""Waking an account that sleeps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format

from accounts import queries, services
from accounts.forms import ReactivationForm
from accounts.models import Account, Status
from accounts.views.base import AccountPage, own_account
from common import throttle
from common.errors import DomainError, TooMany
from common.money import display
from identity import queries as identity


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
