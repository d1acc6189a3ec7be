"""Payments in the back office: everything can be seen, a few things decided, and tellers have two pages of their own."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from common.errors import DomainError
from common.money import display as money_text
from identity.backoffice import ReadOnlyAdmin, decision_page, record_refusal
from identity.models import User
from payments import services
from payments.forms import CounterForm
from payments.models import Payment, PaymentQuerySet, Status

_TONES = {
    Status.COMPLETED.label: "success",
    Status.HELD.label: "warning",
    Status.REFUSED.label: "danger",
    Status.CANCELLED.label: "info",
    Status.REVERSED.label: "info",
}


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    view_permission = "payment_view"
    list_display = ("created_at", "kind", "outcome", "payer", "payee", "sum", "channel", "initiated_by")
    list_filter = ("status", "kind", "channel", "source", "currency", "created_at")
    search_fields = (
        "debit_account__number",
        "credit_account__number",
        "debit_account__owner__email",
        "credit_account__owner__email",
        "initiated_by__email",
    )
    search_help_text = "Payment id, account number or e-mail address"
    ordering = ("-created_at", "pk")
    actions_list = ("cash_in", "cash_out")
    actions_detail = ("reverse",)
    exclude = ("payload_sha256",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return PaymentQuerySet(Payment).with_parties().select_related("decided_by", "reversed_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        """An id finds its payment; anything else is a number, as people write it, or an address."""
        term = search_term.strip()
        try:
            return queryset.filter(pk=UUID(term)), False
        except ValueError:
            compact = "".join(term.split())
            return super().get_search_results(request, queryset, compact)  # type: ignore[no-any-return]

    @display(description="Outcome", ordering="status", label=_TONES)  # type: ignore[untyped-decorator]
    def outcome(self, payment: Payment) -> str:
        return str(Status(payment.status).label)

    @display(description="From")  # type: ignore[untyped-decorator]
    def payer(self, payment: Payment) -> str:
        return payment.debit_account.number if payment.debit_account else payment.get_source_display()

    @display(description="To")  # type: ignore[untyped-decorator]
    def payee(self, payment: Payment) -> str:
        if payment.credit_account:
            return payment.credit_account.number
        return payment.outside_account or payment.get_source_display()

    @display(description="Amount", ordering="amount_minor")  # type: ignore[untyped-decorator]
    def sum(self, payment: Payment) -> str:
        return money_text(payment.amount)

    @display(description="Journal entry")  # type: ignore[untyped-decorator]
    def journal(self, payment: Payment) -> str:
        return f"Entry {payment.entry_id}" if payment.entry_id else "Nothing was posted"

    def get_readonly_fields(self, request: HttpRequest, obj: Payment | None = None) -> list[str]:
        names = [field.name for field in Payment._meta.fields if field.name not in self.exclude]
        return ["sum", "journal", *names]

    @action(description="Reverse", url_path="reverse", permissions=["reverse"])  # type: ignore[untyped-decorator]
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            permission="payment_reverse",
            title="Reverse this payment",
            note="A new journal entry takes the money back, the fee included, and both sides are told the reason.",
            confirm="Reverse the payment",
            done="You reversed the payment.",
            service=services.reverse_payment,
            danger=True,
        )

    # Methods, because unfold looks names with a dot up in the database while the system checks run.
    def has_reverse_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not request.user.has_perm("identity.payment_reverse"):
            return False
        return object_id is not None and Payment.objects.filter(pk=object_id, status=Status.COMPLETED).exists()

    def has_cash_in_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.payment_deposit")

    def has_cash_out_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.payment_withdraw")

    def _decide(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        permission: str,
        title: str,
        note: str,
        confirm: str,
        done: str,
        service: Callable[..., Payment],
        danger: bool,
    ) -> HttpResponse:
        payment = self.get_queryset(request).filter(pk=object_id).first()
        if payment is None:
            raise Http404
        return decision_page(
            self,
            request,
            permission=permission,
            title=title,
            facts=[
                ("Payment", payment.pk),
                ("Kind", payment.get_kind_display()),
                ("Outcome", payment.get_status_display()),
                ("From", self.payer(payment)),
                ("To", self.payee(payment)),
                ("Amount", money_text(payment.amount)),
                ("Fee", money_text(payment.fee)),
                ("Entered by", payment.initiated_by),
            ],
            decide=lambda data: service(
                actor=request.user, payment_id=payment.pk, reason=data["reason"], now=timezone.now()
            ),
            done=done,
            confirm=confirm,
            note=note,
            danger=danger,
            back=reverse("admin:payments_payment_change", args=[payment.pk]),
            audit_subject=("payment", payment.pk),
        )

    # --- The counter ------------------------------------------------------------------------------------

    @action(description="Cash deposit", url_path="cash-in", permissions=["cash_in"])  # type: ignore[untyped-decorator]
    def cash_in(self, request: HttpRequest) -> HttpResponse:
        return self._counter(
            request,
            permission="payment_deposit",
            title="Cash deposit",
            verb="Pay in",
            service=services.deposit_cash,
        )

    @action(description="Cash withdrawal", url_path="cash-out", permissions=["cash_out"])  # type: ignore[untyped-decorator]
    def cash_out(self, request: HttpRequest) -> HttpResponse:
        return self._counter(
            request,
            permission="payment_withdraw",
            title="Cash withdrawal",
            verb="Pay out",
            service=services.withdraw_cash,
        )

    def _counter(
        self, request: HttpRequest, *, permission: str, title: str, verb: str, service: Callable[..., Payment]
    ) -> HttpResponse:
        """Form, then what to check with the customer, then the deed; nothing changes before the second POST."""
        actor = request.user
        assert isinstance(actor, User), "the admin lets nobody else in"
        if not actor.has_perm(f"identity.{permission}"):
            record_refusal(request, permission=permission)
            raise PermissionDenied
        form = CounterForm(request.POST or None, initial={"client_id": uuid4()})
        slip: services.CounterSlip | None = None
        if request.method == "POST" and form.is_valid():
            facts = form.cleaned_data
            try:
                slip = services.preview_at_counter(
                    actor=actor,
                    permission=permission,
                    account_number=facts["account_number"],
                    amount=facts["amount"],
                )
                if "confirmed" in request.POST:
                    payment = service(actor=actor, now=timezone.now(), **facts)
                    self._tell_teller(request, payment)
                    return HttpResponseRedirect(reverse("admin:payments_payment_change", args=[payment.pk]))
            except DomainError as error:
                slip = None
                form.attach(error)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": form,
            "slip": slip,
            "verb": verb,
            "back": reverse("admin:payments_payment_changelist"),
        }
        status = 422 if form.is_bound and not form.is_valid() else 200
        return TemplateResponse(request, "admin/payments/counter.html", context, status=status)

    def _tell_teller(self, request: HttpRequest, payment: Payment) -> None:
        if payment.status == Status.COMPLETED:
            messages.success(request, f"{money_text(payment.amount)}: done.")
        elif payment.status == Status.HELD:
            messages.warning(request, "Under review: do not hand out cash until somebody releases this payment.")
        else:
            messages.error(request, f"Refused, hand out nothing. {payment.refusal_text}")
