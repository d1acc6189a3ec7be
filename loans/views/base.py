"""What the pages of the loans section share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from common.errors import NotFound
from identity.access import PortalMixin
from identity.models import User
from loans import queries
from loans.models import Application, Loan


class LoansSection(PortalMixin, View):
    """A page of the loans section."""

    nav_active = "loans"

    @property
    def actor(self) -> User:
        """The customer; `PortalMixin` lets nobody else in."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def page(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(self.request, f"loans/{template}.html", self.get_context_data(**context), status=status)

    def own_loan(self, loan_id: UUID) -> Loan:
        """The customer's loan; anybody else's is a 404."""
        try:
            return queries.get_loan_for(actor=self.actor, loan_id=loan_id)
        except NotFound as error:
            raise Http404 from error

    def own_application(self, application_id: UUID) -> Application:
        try:
            return queries.get_application_for(actor=self.actor, application_id=application_id)
        except NotFound as error:
            raise Http404 from error


def trail(*steps: tuple[str, str]) -> list[dict[str, str]]:
    """Breadcrumbs below Loans: (label, address), the last without one."""
    crumbs = [{"label": "Loans", "url": reverse("loans:loans")}]
    return crumbs + [{"label": label, "url": url} if url else {"label": label} for label, url in steps]


def loan_crumbs(loan: Loan, label: str = "") -> list[dict[str, str]]:
    if not label:
        return trail((loan.product.name, ""))
    return trail((loan.product.name, reverse("loans:loan", args=[loan.pk])), (label, ""))
