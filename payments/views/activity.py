"""What happened to payments: the list, a receipt, and taking a held one back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from common import throttle
from common.errors import Conflict, DomainError, NotFound, TooMany
from identity import queries as identity
from payments import queries, services
from payments.filters import PaymentFilter
from payments.forms import AnswerForm
from payments.views.base import PaymentPage
from payments.views.rows import days_of, receipt_rows

PAGE_SIZE = 20


class ReceiptPage(PaymentPage):
    nav_active = "activity"

    def get(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        try:
            payment = queries.get_payment_for(actor=self.actor, payment_id=payment_id)
        except NotFound as error:
            raise Http404 from error
        return self.page(
            "receipt",
            {
                "payment": payment,
                "rows": receipt_rows(payment),
                "review": queries.review_of(actor=self.actor, payment_id=payment_id),
                "crumbs": [{"label": "Activity", "url": reverse("payments:history")}, {"label": payment.kind_label}],
            },
        )


class CancelPage(PaymentPage):
    """The owner takes a held payment back; asked once more, on a page of its own."""

    nav_active = "activity"

    def get(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        try:
            payment = queries.get_payment_for(actor=self.actor, payment_id=payment_id)
        except NotFound as error:
            raise Http404 from error
        if not payment.can_be_cancelled:
            return redirect("payments:receipt", payment_id=payment_id)
        return self.page("cancel", {"payment": payment, "rows": receipt_rows(payment)})

    def post(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        try:
            services.cancel_held(actor=self.actor, payment_id=payment_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, "You cancelled the payment. The money is available again.")
        return redirect("payments:receipt", payment_id=payment_id)


class AnswerPage(PaymentPage):
    """The payer says once, with the PIN, whether a payment under review was theirs."""

    nav_active = "activity"

    def get(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        return self._show(payment_id, AnswerForm())

    def post(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        form = AnswerForm(request.POST)
        if not form.is_valid():
            return self._show(payment_id, form, status=422)
        is_mine = form.cleaned_data["answer"] == "yes"
        try:
            throttle.enforce(throttle.TRANSFERS, f"user:{self.actor.pk}")
            services.answer_held(
                actor=self.actor,
                payment_id=payment_id,
                is_mine=is_mine,
                pin=form.cleaned_data["pin"],
                now=timezone.now(),
            )
        except NotFound as error:
            raise Http404 from error
        except TooMany as error:
            return throttle.page(request, error)
        except Conflict as error:
            messages.error(request, error.text)
        except DomainError as error:
            form.attach(error)
            return self._show(payment_id, form, status=422)
        else:
            told = (
                "Thank you. We noted that it was you."
                if is_mine
                else "We noted that it was not you and look at it now."
            )
            messages.success(request, told)
        return redirect("payments:receipt", payment_id=payment_id)

    def _show(self, payment_id: UUID, form: AnswerForm, *, status: int = 200) -> HttpResponse:
        try:
            payment = queries.get_payment_for(actor=self.actor, payment_id=payment_id)
        except NotFound as error:
            raise Http404 from error
        if not queries.review_of(actor=self.actor, payment_id=payment_id).may_answer:
            return redirect("payments:receipt", payment_id=payment_id)
        context = {
            "payment": payment,
            "form": form,
            "rows": receipt_rows(payment),
            "needs_pin": not identity.has_pin(self.actor),
            "crumbs": [
                {"label": "Activity", "url": reverse("payments:history")},
                {"label": payment.kind_label, "url": reverse("payments:receipt", args=[payment_id])},
                {"label": "Was it you?"},
            ],
        }
        return self.page("answer", context, status=status)


class HistoryPage(PaymentPage):
    nav_active = "activity"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = PaymentFilter(request.GET, queryset=queries.history_for(self.actor), request=request)
        rows = found.qs if found.form.is_valid() else queries.history_for(self.actor).none()
        page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "form": found.form,
            "page_obj": page,
            "days": days_of(page, actor=self.actor),
            "is_filtered": any(value for key, value in request.GET.items() if key != "page"),
        }
        template = "_history_results" if getattr(request, "htmx", False) else "history"
        return self.page(template, context)
