"""The portal's payment pages. Every form is answered with a redirect; a second submit finds the first one's payment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views import View

from accounts import queries as accounts
from accounts.models import Account
from accounts.queries import Holding
from common.errors import DomainError, NotFound
from common.money import display
from identity import queries as identity
from identity.access import PortalMixin
from identity.models import User
from payments import queries, services
from payments.filters import PaymentFilter
from payments.forms import ConfirmForm, OwnTransferForm, PaymentForm, SandboxDepositForm, TransferForm, WithdrawalForm
from payments.models import Channel, Kind, Review, Status
from payments.queries import PaymentDocument, ReviewSummary

PAGE_SIZE = 20


class PaymentPage(PortalMixin, View):
    """A page of the payments section."""

    nav_active = "transfer"

    @property
    def actor(self) -> User:
        """The customer; `PortalMixin` lets nobody else in."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def page(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(self.request, f"payments/{template}.html", self.get_context_data(**context), status=status)


class _StartPage(PaymentPage):
    """Where a payment starts: a form that leads to a review."""

    template: str
    form_class: type[PaymentForm]
    review: Callable[..., Review]
    least_accounts = 1

    def get(self, request: HttpRequest) -> HttpResponse:
        holdings = accounts.accounts_for(self.actor)
        return self._show(self.form_class(holdings=holdings, initial=self._initial(holdings)))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST, holdings=accounts.accounts_for(self.actor))
        if form.is_valid():
            facts = form.cleaned_data
            facts["debit_account_id"] = facts.pop("debit_account")
            if "credit_account" in facts:
                facts["credit_account_id"] = facts.pop("credit_account")
            try:
                facts["country"] = services.location(facts.get("country", ""))
                review = type(self).review(actor=self.actor, now=timezone.now(), **facts)
            except NotFound as error:
                raise Http404 from error
            except DomainError as error:
                form.attach(error)
            else:
                return redirect("payments:review", review_id=review.pk)
        return self._show(form, status=422)

    def _initial(self, holdings: Sequence[Holding]) -> dict[str, Any]:
        usable = [str(holding.account.pk) for holding in holdings if holding.account.is_active]
        wanted = self.request.GET.get("from", "")
        initial = {"payee_number": self.request.GET.get("to", "")[:40]}
        return initial | ({"debit_account": wanted if wanted in usable else usable[0]} if usable else {})

    def _show(self, form: PaymentForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "tabs": self._tabs(), "can_pay": len(form.holdings) >= self.least_accounts}
        return self.page(self.template, context, status=status)

    def _tabs(self) -> list[dict[str, Any]]:
        tabs = [("transfer", "To somebody else"), ("own", "Between my accounts"), ("withdraw", "To another bank")]
        return [
            {"label": label, "url": reverse(f"payments:{name}"), "current": name == self.template}
            for name, label in tabs
        ]


class TransferPage(_StartPage):
    template = "transfer"
    form_class = TransferForm
    review = staticmethod(services.review_transfer)


class OwnTransferPage(_StartPage):
    template = "own"
    form_class = OwnTransferForm
    review = staticmethod(services.review_own_transfer)
    least_accounts = 2


class WithdrawPage(_StartPage):
    template = "withdraw"
    form_class = WithdrawalForm
    review = staticmethod(services.review_withdrawal)


class ReviewPage(PaymentPage):
    """What will happen, and the PIN that makes it happen."""

    def get(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        review = self._review(review_id)
        if review.payment_id is not None:
            return redirect("payments:receipt", payment_id=review.payment_id)
        return self._show(review, ConfirmForm())

    def post(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        form = ConfirmForm(request.POST)
        if not form.is_valid():
            return self._show(self._review(review_id), form, status=422)
        try:
            payment = services.confirm_transfer(
                actor=self.actor, review_id=review_id, pin=form.cleaned_data["pin"], now=timezone.now()
            )
        except NotFound as error:
            raise Http404 from error
        except services.ReviewUsed as used:
            context = {"payment_url": reverse("payments:receipt", args=[used.data["payment_id"]])}
            return self.page("review_used", context, status=409)
        except services.ReviewExpired:
            return self._show(self._review(review_id), form, status=409)
        except DomainError as error:
            form.attach(error)
            return self._show(self._review(review_id), form, status=422)
        return redirect("payments:receipt", payment_id=payment.pk)

    def _review(self, review_id: UUID) -> ReviewSummary:
        try:
            return queries.get_review_for(actor=self.actor, review_id=review_id)
        except NotFound as error:
            raise Http404 from error

    def _show(self, review: ReviewSummary, form: ConfirmForm, *, status: int = 200) -> HttpResponse:
        back = {Kind.OWN_TRANSFER: "payments:own", Kind.WITHDRAWAL: "payments:withdraw"}.get(
            Kind(review.kind), "payments:transfer"
        )
        context = {
            "review": review,
            "form": form,
            "rows": review_rows(review),
            "back_url": reverse(back),
            "is_expired": review.expires_at <= timezone.now(),
            "needs_pin": not identity.has_pin(self.actor),
            "crumbs": [{"label": "Transfer", "url": reverse("payments:transfer")}, {"label": "Review"}],
        }
        return self.page("review", context, status=status)


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


class DepositPage(PaymentPage):
    """The sandbox's funding source; other installations do not have this page."""

    nav_active = "accounts"

    def get(self, request: HttpRequest) -> HttpResponse:
        holdings = self._holdings()
        usable = [holding.account for holding in holdings if holding.account.is_active]
        chosen = next(
            (one for one in usable if str(one.pk) == request.GET.get("account")), usable[0] if usable else None
        )
        initial = {"client_id": uuid4(), "account_number": chosen.number if chosen else ""}
        return self._show(SandboxDepositForm(holdings=holdings, initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SandboxDepositForm(request.POST, holdings=self._holdings())
        if form.is_valid():
            try:
                payment = services.deposit_from_sandbox(
                    actor=self.actor, channel=Channel.PORTAL, now=timezone.now(), **form.cleaned_data
                )
            except NotFound as error:
                raise Http404 from error
            except DomainError as error:
                form.attach(error)
            else:
                return redirect("payments:receipt", payment_id=payment.pk)
        return self._show(form, status=422)

    def _holdings(self) -> list[Holding]:
        if not settings.SANDBOX:
            raise Http404
        return accounts.accounts_for(self.actor)

    def _show(self, form: SandboxDepositForm, *, status: int = 200) -> HttpResponse:
        return self.page("deposit", {"form": form}, status=status)


def account_label(account: Account) -> str:
    return account.nickname or account.product.name


def review_rows(review: ReviewSummary) -> list[dict[str, Any]]:
    """The review as definition rows."""
    rows: list[dict[str, Any]] = [
        {"label": "From", "value": account_label(review.account), "note": review.account.grouped_number}
    ]
    if review.kind == Kind.WITHDRAWAL:
        rows.append({"label": "To your account at another bank", "value": review.payee_number})
    else:
        rows.append({"label": "To", "value": review.payee_name, "note": review.payee_number})
    rows.append({"label": "Amount", "value": display(review.amount), "money": True})
    rows.append({"label": "Fee", "value": display(review.fee) if review.fee.amount_minor else "None", "money": True})
    if review.fee.amount_minor:
        rows.append({"label": "Leaves your account", "value": display(review.total), "money": True})
    if review.description:
        rows.append({"label": "Description", "value": review.description})
    rows.append({"label": "New balance", "value": display(review.balance_after), "money": True, "total": True})
    return rows


def receipt_rows(payment: PaymentDocument) -> list[dict[str, Any]]:
    """A payment as definition rows, for the party that looks at it."""
    own = {"value": account_label(payment.account), "note": payment.account.grouped_number}
    other = {"value": payment.other_name, "note": payment.other_number}
    incoming = payment.direction == "IN"
    rows: list[dict[str, Any]] = [
        {"label": "Outcome", "value": outcome_label(payment), "state": payment.status},
        {"label": "From", **(other if incoming else own)},
        {"label": "To", **(own if incoming else other)},
        {"label": "Amount", "value": display(payment.amount), "money": True},
    ]
    if payment.fee is not None and payment.fee.amount_minor:
        rows.append({"label": "Fee", "value": display(payment.fee), "money": True})
    if payment.description:
        rows.append({"label": "Description", "value": payment.description})
    rows.append({"label": "Asked for", "value": date_format(payment.created_at, "j M Y, H:i") + " UTC"})
    if payment.decided_at is not None and payment.decided_at != payment.created_at:
        rows.append({"label": "Decided", "value": date_format(payment.decided_at, "j M Y, H:i") + " UTC"})
    if payment.reversed_at is not None:
        rows.append({"label": "Reversed", "value": date_format(payment.reversed_at, "j M Y, H:i") + " UTC"})
    rows.append({"label": "Reference", "value": str(payment.id)})
    return rows


def outcome_label(payment: PaymentDocument) -> str:
    if payment.status == Status.CANCELLED and payment.refusal_code == "expired":
        return "Expired"
    return str(Status(payment.status).label)


def title_of(payment: PaymentDocument) -> str:
    if payment.direction == "OWN":
        return f"To {payment.other_name}"
    if payment.kind == Kind.DEPOSIT:
        return f"Deposit: {payment.other_name}"
    if payment.kind == Kind.WITHDRAWAL:
        return f"Withdrawal: {payment.other_name}"
    return payment.other_name


def days_of(page: Page[Any], *, actor: User) -> list[dict[str, Any]]:
    """One page of payments by day, as the transaction list shows them."""
    documents = queries.documents(page.object_list, actor=actor)
    today = timezone.now().date()
    return [
        {"label": "Today" if day == today else date_format(day, "j M Y"), "entries": [_item(one) for one in group]}
        for day, group in groupby(documents, key=lambda one: one.created_at.date())
    ]


def _item(payment: PaymentDocument) -> dict[str, Any]:
    note = " · ".join(filter(None, [date_format(payment.created_at, "H:i"), payment.description]))
    return {
        "title": title_of(payment),
        "note": note,
        "amount": display(payment.total),
        "direction": payment.direction.lower(),
        "url": reverse("payments:receipt", args=[payment.id]),
        "state": payment.status,
        "state_label": outcome_label(payment),
    }
