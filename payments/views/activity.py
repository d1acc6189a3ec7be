"""What happened to payments: the list, a receipt, and taking a held one back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from common.errors import DomainError, NotFound
from payments import queries, services
from payments.filters import PaymentFilter
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
