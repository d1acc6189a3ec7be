"""Payments in the back office: everything can be seen, a few things decided, and tellers have two pages of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from accounts.models import Account
from common.errors import DomainError
from common.geography import country_name
from common.money import display as money_text
from fraud import queries as fraud
from identity.backoffice import ReadOnlyAdmin, decision_page, record_refusal
from identity.models import User
from payments import services
from payments.forms import CounterForm
from payments.models import Payment, PaymentQuerySet, Status
from payments.services.orders import SUBJECT_KIND

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
    list_display = ("when", "what", "outcome", "payer", "payee", "sum", "through")
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
    actions_detail = ("open_case", "reverse")
    fieldsets = (
        (None, {"fields": ("what", "outcome", "sum", "fee_shown", "payer", "payee", "description")}),
        ("Asked for", {"fields": ("when", "asker", "through", "place", "name_check")}),
        ("Checks", {"fields": ("judged", "reasons_shown", "reserved")}),
        ("Outcome", {"fields": ("decided", "customer_reads", "reversed")}),
        ("Books", {"fields": ("journal", "reversal", "hold_shown", "id", "client_id")}),
    )
    readonly_fields = tuple(name for _, part in fieldsets for name in part["fields"])

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

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Payment | None:
        """The payment, which remembers who looks: links lead only where they may go."""
        payment: Payment | None = super().get_object(request, object_id, from_field)
        if payment is not None:
            payment.viewer = request.user  # type: ignore[attr-defined]
        return payment

    @display(description="When", ordering="created_at")  # type: ignore[untyped-decorator]
    def when(self, payment: Payment) -> str:
        return _moment(payment.created_at)

    @display(description="Kind", ordering="kind")  # type: ignore[untyped-decorator]
    def what(self, payment: Payment) -> str:
        return str(payment.get_kind_display())

    @display(description="Through", ordering="channel")  # type: ignore[untyped-decorator]
    def through(self, payment: Payment) -> str:
        return str(payment.get_channel_display())

    @display(description="Outcome", ordering="status", label=_TONES)  # type: ignore[untyped-decorator]
    def outcome(self, payment: Payment) -> str:
        return str(Status(payment.status).label)

    @display(description="From")  # type: ignore[untyped-decorator]
    def payer(self, payment: Payment) -> SafeString:
        return _party(payment, payment.debit_account, payment.get_source_display())

    @display(description="To")  # type: ignore[untyped-decorator]
    def payee(self, payment: Payment) -> SafeString:
        return _party(payment, payment.credit_account, payment.outside_account or payment.get_source_display())

    @display(description="Amount", ordering="amount_minor")  # type: ignore[untyped-decorator]
    def sum(self, payment: Payment) -> str:
        return money_text(payment.amount)

    @display(description="Fee")  # type: ignore[untyped-decorator]
    def fee_shown(self, payment: Payment) -> str:
        if not payment.fee_minor:
            return "No fee"
        return f"{money_text(payment.fee)}: {payment.fee_note}" if payment.fee_note else money_text(payment.fee)

    @display(description="Asked for by")  # type: ignore[untyped-decorator]
    def asker(self, payment: Payment) -> SafeString:
        return _person(payment, payment.initiated_by)

    @display(description="Asked for from")  # type: ignore[untyped-decorator]
    def place(self, payment: Payment) -> str:
        return country_name(payment.country) or "Not known"

    @display(description="Payee's name as typed")  # type: ignore[untyped-decorator]
    def name_check(self, payment: Payment) -> str:
        if not payment.payee_name:
            return "None was typed"
        return f"{payment.payee_name}: {payment.get_payee_match_display().lower() or 'not checked'}"

    @display(description="Judged")  # type: ignore[untyped-decorator]
    def judged(self, payment: Payment) -> str:
        if payment.decision_id is None:
            return "Not screened: nothing left an account of a customer."
        text = payment.get_hold_cause_display() or "By the rules that were live"
        return _link(payment, "fraud_view", "admin:fraud_decision_change", payment.decision_id, text)

    @display(description="Why it stopped")  # type: ignore[untyped-decorator]
    def reasons_shown(self, payment: Payment) -> str:
        return " ".join(reason["text"] for reason in payment.reasons) or "It did not"

    @display(description="Money reserved until")  # type: ignore[untyped-decorator]
    def reserved(self, payment: Payment) -> str:
        if payment.status != Status.HELD or payment.expires_at is None:
            return "Nothing is reserved"
        return f"{_moment(payment.expires_at)}; then it goes back to the customer"

    @display(description="Decided")  # type: ignore[untyped-decorator]
    def decided(self, payment: Payment) -> str:
        if payment.decided_at is None:
            return "Not yet"
        if payment.decided_by is None:
            return format_html("{}, by no person", _moment(payment.decided_at))
        return format_html("{}, by {}", _moment(payment.decided_at), _person(payment, payment.decided_by))

    @display(description="The customer reads")  # type: ignore[untyped-decorator]
    def customer_reads(self, payment: Payment) -> str:
        return payment.refusal_text or "No refusal"

    @display(description="Reversed")  # type: ignore[untyped-decorator]
    def reversed(self, payment: Payment) -> str:
        if payment.reversed_at is None or payment.reversed_by is None:
            return "No"
        return format_html("{}, by {}", _moment(payment.reversed_at), _person(payment, payment.reversed_by))

    @display(description="Journal entry")  # type: ignore[untyped-decorator]
    def journal(self, payment: Payment) -> str:
        return _entry(payment, payment.entry_id)

    @display(description="Entry that reverses it")  # type: ignore[untyped-decorator]
    def reversal(self, payment: Payment) -> str:
        return _entry(payment, payment.reversal_entry_id)

    @display(description="Reservation")  # type: ignore[untyped-decorator]
    def hold_shown(self, payment: Payment) -> str:
        if payment.hold_id is None:
            return "There was none"
        return _link(payment, "ledger_view", "admin:ledger_hold_change", payment.hold_id, "Its hold in the ledger")

    @action(description="Fraud case", url_path="case", permissions=["open_case"], icon="gpp_maybe")  # type: ignore[untyped-decorator]
    def open_case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        case_id = fraud.case_about(subject_kind=SUBJECT_KIND, subject_id=UUID(object_id))
        if case_id is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:fraud_case_change", args=[case_id]))

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
        """On the payment's page only while it can be reversed; the deciding page itself tells what changed meanwhile."""
        if not request.user.has_perm("identity.payment_reverse"):
            return False
        if request.resolver_match is not None and request.resolver_match.url_name != "payments_payment_change":
            return True
        return Payment.objects.filter(pk=_uuid(object_id), status=Status.COMPLETED).exists()

    def has_open_case_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        key = _uuid(object_id)
        if key is None or not request.user.has_perm("identity.fraud_view"):
            return False
        return fraud.case_about(subject_kind=SUBJECT_KIND, subject_id=key) is not None

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
        payment = self.get_queryset(request).filter(pk=_uuid(object_id)).first()
        if payment is None:
            raise Http404
        return decision_page(
            self,
            request,
            permission=permission,
            title=title,
            facts=[
                ("Kind", payment.get_kind_display()),
                ("Outcome", payment.get_status_display()),
                ("From", _party_text(payment.debit_account, payment.get_source_display())),
                ("To", _party_text(payment.credit_account, payment.outside_account or payment.get_source_display())),
                ("Amount", money_text(payment.amount)),
                ("Fee", self.fee_shown(payment)),
                ("Purpose", payment.description or "–"),
                ("Asked for", f"{_moment(payment.created_at)} by {payment.initiated_by.get_full_name()}"),
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
                    now=timezone.now(),
                )
                if "confirmed" in request.POST:
                    payment = service(actor=actor, now=timezone.now(), **facts)
                    self._tell_teller(request, payment)
                    return HttpResponseRedirect(reverse("admin:payments_payment_change", args=[payment.pk]))
            except DomainError as error:
                slip = None
                form.attach(error)
        request.crumb = title  # type: ignore[attr-defined]
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


def _moment(at: datetime) -> str:
    return date_format(at, "j M Y, H:i")


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _party_text(account: Account | None, otherwise: str) -> str:
    return f"{account.owner.get_full_name()}, {account.grouped_number}" if account else otherwise


def _party(payment: Payment, account: Account | None, otherwise: str) -> SafeString:
    """Name above number; the number leads to the account on the payment's own page."""
    if account is None:
        return format_html("{}", otherwise or "–")
    number = format_html('<span class="office-quiet number">{}</span>', account.grouped_number)
    if getattr(payment, "viewer", None) is not None:
        number = _link(payment, "account_view", "admin:accounts_account_change", account.pk, account.grouped_number)
    return format_html("<span>{}<br>{}</span>", account.owner.get_full_name(), number)


def _person(payment: Payment, user: User) -> SafeString:
    return _link(payment, "user_view", "admin:identity_user_change", user.pk, user.get_full_name())


def _entry(payment: Payment, entry_id: int | None) -> str:
    if entry_id is None:
        return "Nothing was posted"
    return _link(payment, "ledger_view", "admin:ledger_entry_change", entry_id, f"Entry {entry_id}")


def _link(payment: Payment, permission: str, route: str, key: object, text: str) -> SafeString:
    """A link for whoever may open it, plain text for the rest."""
    viewer = getattr(payment, "viewer", None)
    if viewer is None or not viewer.has_perm(f"identity.{permission}"):
        return format_html("{}", text)
    return format_html('<a class="office-link" href="{}">{}</a>', reverse(route, args=[key]), text)
