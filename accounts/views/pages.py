"""Accounts: the list, one account, and opening."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts import queries, services
from accounts.forms import NicknameForm, OpeningForm
from accounts.models import Account, Product, Status
from accounts.queries import Holding, fees, statements
from accounts.queries.fees import Listed
from accounts.rules.fees import Operation
from accounts.rules.statements.content import StatementLine
from accounts.views.base import AccountPage, own_account
from common.errors import DomainError, NotFound
from common.money import Money, display
from identity.models import User
from kyc import queries as kyc

RECENT = 12
NEWEST_STATEMENTS = 3


def day_groups(lines: list[StatementLine]) -> list[dict[str, Any]]:
    """Postings by day, as the transaction list shows them."""
    today = timezone.now().date()
    labels = {today: "Today", today - timedelta(days=1): "Yesterday"}
    return [
        {"label": labels.get(day) or date_format(day, "j M Y"), "entries": [_entry(line) for line in group]}
        for day, group in groupby(lines, key=lambda line: line.booked_at.date())
    ]


def _entry(line: StatementLine) -> dict[str, Any]:
    minor = line.amount.amount_minor
    # By name only: what a payment is, its own app knows.
    receipt = reverse("payments:receipt", args=[line.source_id]) if line.source_kind == "payment" else ""
    return {
        "url": receipt,
        "title": line.description,
        "note": date_format(line.booked_at, "H:i"),
        "amount": display(Money(abs(minor), line.amount.currency)),
        "direction": "in" if minor > 0 else "out",
        "after": display(line.balance),
    }


def product_facts(product: Product, prices: list[Listed]) -> list[dict[str, Any]]:
    """The terms of a product and its prices as definition rows; what does not apply is left out."""
    rows = [{"label": "Minimum opening deposit", "value": display(product.min_opening), "money": True}]
    if product.min_balance_minor:
        rows.append({"label": "Minimum balance", "value": display(product.min_balance), "money": True})
    if product.overdraft_minor:
        rows.append({"label": "Overdraft", "value": f"up to {display(product.overdraft)}", "money": True})
        if product.overdraft_rate:
            rate = f"{product.overdraft_rate.normalize():f}% a year"
            rows.append({"label": "Overdraft interest", "value": rate})
    rows.append(_interest_row(product.interest_rate))
    rows.extend(_price_rows(prices))
    return rows


def _interest_row(rate: Decimal) -> dict[str, Any]:
    return {"label": "Interest", "value": f"{rate.normalize():f}% a year" if rate else "None"}


def _price_rows(prices: list[Listed]) -> list[dict[str, Any]]:
    """What costs something, and what a transfer costs in any case."""
    shown = [price for price in prices if price.summary != "Free" or price.operation is Operation.TRANSFER]
    return [{"label": price.label, "value": price.summary} for price in shown]


class AccountList(AccountPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        holdings = queries.accounts_for(request.user)
        return self.page(
            request,
            "list",
            {
                "holdings": [holding for holding in holdings if holding.account.status != Status.CLOSED],
                "closed": [holding for holding in holdings if holding.account.status == Status.CLOSED],
            },
        )


class AccountDetail(AccountPage):
    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        return self.page(
            request, "detail", self._context(account, NicknameForm(initial={"nickname": account.nickname}))
        )

    def _context(self, account: Account, form: NicknameForm) -> dict[str, Any]:
        holding = queries.holding_of(account)
        return {
            "holding": holding,
            "account": account,
            "facts": _account_facts(holding),
            "days": day_groups(queries.recent_lines(account, limit=RECENT)),
            "issued": statements.monthly_statements(account)[:NEWEST_STATEMENTS],
            "form": form,
            "crumbs": self.trail(account),
        }


class RenameAccount(AccountDetail):
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        form = NicknameForm(request.POST)
        if form.is_valid():
            try:
                services.rename_account(
                    actor=request.user, account_id=account_id, nickname=form.cleaned_data["nickname"]
                )
            except DomainError as error:
                form.attach(error)
            else:
                messages.success(request, "You named the account.")
                return redirect("accounts:detail", account_id=account_id)
        return self.page(request, "detail", self._context(account, form), status=422)


class OpenAccount(AccountPage):
    nav_active = "open"

    def get(self, request: HttpRequest) -> HttpResponse:
        products = queries.open_products()
        prices = fees.price_lists(products, at=timezone.now())
        approved = kyc.is_approved(request.user.pk)
        return self.page(
            request,
            "open",
            {
                "offers": [
                    {"product": product, "facts": product_facts(product, prices[product.code])} for product in products
                ],
                "approved": approved,
                "waiting": not approved and kyc.is_waiting(request.user.pk),
            },
        )


class OpenProduct(AccountPage):
    """Amount and source, then a page to check everything, then the account."""

    nav_active = "open"

    def get(self, request: HttpRequest, product_code: str) -> HttpResponse:
        product = self._product(product_code)
        if not kyc.is_approved(request.user.pk):
            return redirect("accounts:open")
        form = self._form(request.user, product, initial={"client_id": uuid4()})
        return self._fill_in(request, product, form)

    def post(self, request: HttpRequest, product_code: str) -> HttpResponse:
        product = self._product(product_code)
        form = self._form(request.user, product, data=request.POST)
        if not form.is_valid() or "change" in request.POST:
            return self._fill_in(request, product, form, status=200 if form.is_valid() else 422)
        asked = {
            "actor": request.user,
            "owner": request.user,
            "product_code": product.code,
            "opening": form.cleaned_data["amount"],
            "source": form.funding(),
        }
        try:
            if "confirm" in request.POST:
                opened = services.open_account(**asked, client_id=form.cleaned_data["client_id"], now=timezone.now())
                return redirect("accounts:opened", account_id=opened.account.pk)
            review = services.review_opening(**asked)
        except DomainError as error:
            form.attach(error)
            return self._fill_in(request, product, form, status=422)
        context = {"product": product, "form": form, "rows": _review_rows(review), "crumbs": self._crumbs(product)}
        return self.page(request, "open_review", context)

    def _product(self, code: str) -> Product:
        try:
            return queries.get_product(code)
        except NotFound as error:
            raise Http404 from error

    def _form(self, owner: User, product: Product, **kwargs: Any) -> OpeningForm:
        holdings = queries.accounts_for(owner)
        payers = [
            holding
            for holding in holdings
            if holding.account.is_active and holding.account.currency == product.currency
        ]
        return OpeningForm(product=product, payers=payers, with_sandbox=settings.SANDBOX, **kwargs)

    def _fill_in(self, request: HttpRequest, product: Product, form: OpeningForm, *, status: int = 200) -> HttpResponse:
        context = {
            "product": product,
            "facts": product_facts(product, fees.price_list(product, at=timezone.now())),
            "form": form,
            "has_sources": bool(form.fields["source"].choices),  # type: ignore[attr-defined]
            "crumbs": self._crumbs(product),
        }
        return self.page(request, "open_product", context, status=status)

    def _crumbs(self, product: Product) -> list[dict[str, str]]:
        return [{"label": "Open an account", "url": reverse("accounts:open")}, {"label": product.name}]


class AccountOpened(AccountPage):
    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        rows = [
            {"label": "Account number", "value": account.grouped_number},
            {
                "label": "Opening deposit",
                "value": display(Money(account.opening_minor, account.currency)),
                "money": True,
            },
        ]
        return self.page(request, "opened", {"account": account, "rows": rows, "crumbs": self.trail(account, "Opened")})


def _account_facts(holding: Holding) -> list[dict[str, Any]]:
    account, product = holding.account, holding.account.product
    rows: list[dict[str, Any]] = [{"label": "Product", "value": product.name}]
    if holding.overdraft:
        rows.append({"label": "Overdraft", "value": f"up to {display(holding.overdraft)}", "money": True})
    if holding.min_balance:
        rows.append({"label": "Minimum balance", "value": display(holding.min_balance), "money": True})
    rows.append(_interest_row(account.interest_rate))
    rows.extend(_price_rows(fees.price_list(product, at=timezone.now())))
    unpaid = fees.open_fees(account)
    if unpaid.amount_minor:
        note = "We take them when the account can cover them."
        rows.append({"label": "Fees not paid yet", "value": display(unpaid), "note": note, "money": True})
    rows.append({"label": "Currency", "value": account.currency})
    rows.append({"label": "Opened", "value": date_format(account.opened_at, "j M Y")})
    if account.closed_at:
        rows.append({"label": "Closed", "value": date_format(account.closed_at, "j M Y")})
    return rows


def _review_rows(review: services.OpeningReview) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"label": "Account", "value": review.product.name}]
    if review.payer is not None and review.payer_after is not None:
        payer = review.payer
        rows.append({"label": "Paid from", "value": payer.name, "note": payer.account.masked_number})
        rows.append({"label": "It then holds", "value": display(review.payer_after), "money": True})
    else:
        rows.append({"label": "Paid from", "value": "Sandbox money from outside the bank"})
    rows.append({"label": "Opening deposit", "value": display(review.opening), "money": True, "total": True})
    return rows
