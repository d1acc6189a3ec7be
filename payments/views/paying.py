"""Pages that start a payment and confirm it. Every form is answered with a redirect; a second submit finds the first
one's payment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts import queries as accounts
from accounts.queries import Holding
from common import throttle
from common.errors import DomainError, NotFound, TooMany
from identity import queries as identity
from payments import queries, services
from payments.forms import ConfirmForm, OwnTransferForm, PaymentForm, SandboxDepositForm, TransferForm, WithdrawalForm
from payments.models import Channel, Kind, Review
from payments.queries import ReviewSummary, SavedPayee
from payments.views.base import PaymentPage
from payments.views.rows import review_rows


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
        return self._payee() | ({"debit_account": wanted if wanted in usable else usable[0]} if usable else {})

    def _payee(self) -> dict[str, Any]:
        """The payee that a link names: a saved one by its id, or a number of this bank."""
        if "payee" not in self.request.GET:
            return {"payee_number": self.request.GET.get("to", "")[:40]}
        try:
            found = queries.get_payee_for(
                actor=self.actor, payee_id=UUID(self.request.GET["payee"]), now=timezone.now()
            )
        except (ValueError, NotFound) as error:
            raise Http404 from error
        return {"payee_name": found.payee.name, "payee_number": found.number, "iban": found.number}

    def _show(self, form: PaymentForm, *, status: int = 200) -> HttpResponse:
        context = {
            "form": form,
            "tabs": self._tabs(form.holdings),
            "can_pay": len(form.holdings) >= self.least_accounts,
            "payees": self._offered(),
        }
        return self.page(self.template, context, status=status)

    def _offered(self) -> list[SavedPayee]:
        """Saved payees that this page can pay."""
        if self.template not in ("transfer", "withdraw"):
            return []
        inside = self.template == "transfer"
        payees = queries.payees_for(self.actor, now=timezone.now())
        return [found for found in payees if (found.payee.account is not None) is inside]

    def _tabs(self, holdings: Sequence[Holding]) -> list[dict[str, Any]]:
        tabs = [("transfer", "To somebody else"), ("own", "My accounts"), ("withdraw", "To another bank")]
        if any(holding.account.product.allows_bulk for holding in holdings):
            tabs.append(("bulk", "Many at once"))
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
            throttle.enforce(throttle.TRANSFERS, f"user:{self.actor.pk}")
            payment = services.confirm_transfer(
                actor=self.actor, review_id=review_id, pin=form.cleaned_data["pin"], now=timezone.now()
            )
        except NotFound as error:
            raise Http404 from error
        except TooMany as error:
            return throttle.page(request, error)
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
                throttle.enforce(throttle.TRANSFERS, f"user:{self.actor.pk}")
                payment = services.deposit_from_sandbox(
                    actor=self.actor, channel=Channel.PORTAL, now=timezone.now(), **form.cleaned_data
                )
            except NotFound as error:
                raise Http404 from error
            except TooMany as error:
                return throttle.page(request, error)
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
