"""The payees that a customer keeps."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from common.errors import DomainError, NotFound
from identity import queries as identity
from payments import queries, services
from payments.forms import PayeeForm
from payments.views.base import PaymentPage


class _PayeePage(PaymentPage):
    nav_active = "payees"


class PayeesPage(_PayeePage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("payees", {"payees": queries.payees_for(self.actor, now=timezone.now())})


class AddPayeePage(_PayeePage):
    """Name, number and PIN; the outcome of the name check is told after saving, and stays on the list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {"name": request.GET.get("name", "")[:140], "payee_number": request.GET.get("to", "")[:40]}
        return self._show(PayeeForm(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PayeeForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        facts = form.cleaned_data
        try:
            payee = services.save_payee(
                actor=self.actor,
                name=facts["name"],
                number=facts["payee_number"],
                iban=facts["iban"],
                pin=facts["pin"],
                now=timezone.now(),
            )
        except DomainError as error:
            form.attach(error)
            return self._show(form, status=422)
        if payee.name_match == "NO_MATCH":
            messages.warning(
                request, f"You saved {payee.name}, but the account belongs to another name. Ask before you pay."
            )
        elif payee.name_match == "CLOSE":
            messages.warning(
                request,
                f"You saved {payee.name}. The name on the account is close, but not the same: check it before you pay.",
            )
        else:
            messages.success(request, f"You saved {payee.name}.")
        return redirect("payments:payees")

    def _show(self, form: PayeeForm, *, status: int = 200) -> HttpResponse:
        context = {
            "form": form,
            "needs_pin": not identity.has_pin(self.actor),
            "crumbs": [{"label": "Payees", "url": reverse("payments:payees")}, {"label": "Save a payee"}],
        }
        return self.page("payee_add", context, status=status)


class RemovePayeePage(_PayeePage):
    def get(self, request: HttpRequest, payee_id: UUID) -> HttpResponse:
        try:
            found = queries.get_payee_for(actor=self.actor, payee_id=payee_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        return self.page("payee_remove", {"found": found})

    def post(self, request: HttpRequest, payee_id: UUID) -> HttpResponse:
        try:
            services.remove_payee(actor=self.actor, payee_id=payee_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        messages.success(request, "You removed the payee. Earlier payments stay in your activity.")
        return redirect("payments:payees")
