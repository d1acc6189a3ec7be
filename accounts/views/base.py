"""What every page of an account stands on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from accounts import queries
from accounts.models import Account
from common.errors import NotFound
from identity.access import PortalMixin
from identity.models import User


def own_account(actor: User, account_id: UUID) -> Account:
    """The actor's account or a 404 page."""
    try:
        return queries.get_account_for(actor=actor, account_id=account_id)
    except NotFound as error:
        raise Http404 from error


class AccountPage(PortalMixin, View):
    """A page of the accounts section."""

    nav_active = "accounts"

    def page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(request, f"accounts/{template}.html", self.get_context_data(**context), status=status)

    def trail(self, account: Account, *rest: str) -> list[dict[str, str]]:
        """Breadcrumbs down to a page of one account."""
        name = account.nickname or account.product.name
        crumbs = [{"label": "Accounts", "url": reverse("accounts:list")}]
        if not rest:
            return [*crumbs, {"label": name}]
        return [*crumbs, {"label": name, "url": reverse("accounts:detail", args=[account.pk])}, {"label": rest[0]}]
