"""Accounts in the back office: whose they are, what they hold, and decisions about them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import queries, services
from accounts.models import Account
from accounts.queries.closing import settlement
from accounts.rules import numbers
from accounts.rules.funding import FundingKind
from common.money import Money
from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from kyc import queries as kyc

LINES_SHOWN = 25
_STATUS_TONES = {"Active": "success", "Frozen": "danger", "Dormant": "warning", "Closed": "default"}
_SOURCES = {
    FundingKind.SANDBOX.value: "play money",
    FundingKind.CASH.value: "cash at the counter",
    FundingKind.OWN_ACCOUNT.value: "from another account of the holder",
}


class CounterOpeningForm(DecisionForm):
    """A customer at the counter: who, what, and the cash that was counted."""

    # The customer's wish is the reason.
    reason = None  # type: ignore[assignment]
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    email = forms.EmailField(label="Customer's e-mail address", widget=UnfoldAdminEmailInputWidget)
    product = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    amount = forms.CharField(label="Cash counted", max_length=24, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        product = self.fields["product"]
        assert isinstance(product, forms.ChoiceField)
        product.choices = [(offer.code, f"{offer.name}, from {offer.min_opening}") for offer in queries.open_products()]


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Whose account, what it holds, what moved; freeze, unfreeze and close are decisions with a reason."""

    view_permission = "account_view"
    list_display = ["number_grouped", "owner_name", "product_name", "status_badge", "balance", "opened"]
    list_filter = ["status", "product", "currency"]
    search_fields = ["number__iexact", "owner__email__istartswith", "owner__full_name__istartswith"]
    search_help_text = "Account number, holder's name or e-mail address"
    list_select_related = ["owner", "product"]
    ordering = ["-opened_at", "pk"]
    date_hierarchy = None
    fieldsets = [
        (None, {"fields": ["number_grouped", "status_badge", "holder", "product_shown", "nickname"]}),
        ("Money", {"fields": ["balance", "held", "available", "newest_lines"]}),
        ("Life", {"fields": ["opened", "opener", "opening_deposit", "last_used", "dormant_since", "closed"]}),
    ]
    readonly_fields = [
        "number_grouped",
        "status_badge",
        "holder",
        "product_shown",
        "nickname",
        "balance",
        "held",
        "available",
        "newest_lines",
        "opened",
        "opener",
        "opening_deposit",
        "last_used",
        "dormant_since",
        "closed",
    ]
    actions_detail = ["freeze", "unfreeze", "reactivate", "close"]
    actions_list = ["open_at_counter"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page's balances in one query, kept on the rows."""
        changelist = super().get_changelist_instance(request)
        by_id = {holding.account.pk: holding for holding in queries.holdings(changelist.result_list)}
        for account in changelist.result_list:
            account.holding = by_id[account.pk]
        return changelist

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).select_related("owner", "product", "opened_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        """A number is found as people write it, with its spaces; a name keeps them."""
        compact = numbers.normalise(search_term)
        term = compact if compact.startswith(numbers.PREFIX) and compact[2:].isdigit() else search_term
        return super().get_search_results(request, queryset, term)  # type: ignore[no-any-return]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Account | None:
        """The account, which remembers who looks: links lead only where they may go."""
        account: Account | None = super().get_object(request, object_id, from_field)
        if account is not None:
            account.viewer = request.user  # type: ignore[attr-defined]
        return account

    @display(description="number", ordering="number")
    def number_grouped(self, account: Account) -> str:
        return account.grouped_number

    @display(description="status", ordering="status", label=_STATUS_TONES)
    def status_badge(self, account: Account) -> str:
        return account.get_status_display()

    @display(description="holder", ordering="owner__full_name")
    def owner_name(self, account: Account) -> SafeString:
        return format_html(
            '<span>{}<br><span class="office-quiet">{}</span></span>',
            account.owner.get_full_name(),
            account.owner.email,
        )

    @display(description="product", ordering="product__name")
    def product_name(self, account: Account) -> str:
        return account.product.name

    @display(description="product")
    def product_shown(self, account: Account) -> str:
        url = reverse("admin:accounts_product_change", args=[account.product_id])
        return format_html('<a class="office-link" href="{}">{}</a>', url, account.product.name)

    @display(description="opened", ordering="opened_at")
    def opened(self, account: Account) -> str:
        return date_format(account.opened_at, "j M Y, H:i")

    @display(description="closed")
    def closed(self, account: Account) -> str:
        return date_format(account.closed_at, "j M Y, H:i") if account.closed_at else "No"

    @display(description="last used by its owner")
    def last_used(self, account: Account) -> str:
        return date_format(account.active_at, "j M Y")

    @display(description="dormant since")
    def dormant_since(self, account: Account) -> str:
        return date_format(account.dormant_at, "j M Y, H:i") if account.dormant_at else "Not dormant"

    @display(description="opened by")
    def opener(self, account: Account) -> str:
        return "The holder" if account.opened_by_id == account.owner_id else account.opened_by.get_full_name()

    @display(description="account holder")
    def holder(self, account: Account) -> str:
        text = self._holder_text(account)
        viewer = getattr(account, "viewer", None)
        if viewer is None or not viewer.has_perm("identity.user_view"):
            return text
        url = reverse("admin:identity_user_change", args=[account.owner_id])
        return format_html('<a class="office-link" href="{}">{}</a>', url, text)

    def _holder_text(self, account: Account) -> str:
        return f"{kyc.legal_name(account.owner_id)} ({account.owner.email})"

    @display(description="balance")
    def balance(self, account: Account) -> str:
        return str(_holding(account).posted)

    @display(description="reserved")
    def held(self, account: Account) -> str:
        return str(_holding(account).held)

    @display(description="available")
    def available(self, account: Account) -> str:
        return str(_holding(account).available)

    @display(description="opening deposit")
    def opening_deposit(self, account: Account) -> str:
        return f"{Money(account.opening_minor, account.currency)}, {_SOURCES[account.opening_source]}"

    @display(description="newest postings")
    def newest_lines(self, account: Account) -> str:
        rows = format_html_join(
            "",
            '<tr><td class="number">{}</td><td>{}</td><td class="money">{}</td><td class="money">{}</td></tr>',
            (
                (date_format(line.booked_at, "j M Y, H:i"), line.description, str(line.amount), str(line.balance))
                for line in queries.recent_lines(account, limit=LINES_SHOWN)
            ),
        )
        return format_html(
            '<div class="office-scroll"><table class="office-table"><thead><tr><th scope="col">Booked</th>'
            '<th scope="col">Description</th><th scope="col" class="money">Amount</th>'
            '<th scope="col" class="money">Balance</th></tr></thead><tbody>{}</tbody></table></div>',
            rows,
        )

    @action(description="Freeze", url_path="freeze", permissions=["freeze"], icon="ac_unit")
    def freeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._account(request, object_id)
        return decision_page(
            self,
            request,
            permission="account_freeze",
            title=f"Freeze {account.grouped_number}",
            facts=self._facts(account),
            note="No money moves in or out until somebody releases the account. The owner learns that, not why.",
            decide=lambda given: services.freeze_account(
                actor=request.user, account_id=account.pk, reason=given["reason"], now=timezone.now()
            ),
            done="You froze the account.",
            confirm="Freeze the account",
            danger=True,
            back=self._page_of(account),
            audit_subject=("account", account.pk),
        )

    @action(description="Unfreeze", url_path="unfreeze", permissions=["unfreeze"], icon="lock_open")
    def unfreeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._account(request, object_id)
        return decision_page(
            self,
            request,
            permission="account_freeze",
            title=f"Release {account.grouped_number}",
            facts=self._facts(account),
            decide=lambda given: services.unfreeze_account(
                actor=request.user, account_id=account.pk, reason=given["reason"], now=timezone.now()
            ),
            done="You released the account.",
            confirm="Release the account",
            back=self._page_of(account),
            audit_subject=("account", account.pk),
        )

    @action(description="Reactivate", url_path="reactivate", permissions=["reactivate"], icon="alarm_on")
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._account(request, object_id)
        return decision_page(
            self,
            request,
            permission="account_reactivate",
            title=f"Reactivate {account.grouped_number}",
            facts=[*self._facts(account), ("Last used", date_format(account.active_at, "j M Y"))],
            note="Make sure that the customer is who asks for it. The owner is told.",
            decide=lambda given: services.reactivate_for_customer(
                actor=request.user, account_id=account.pk, reason=given["reason"], now=timezone.now()
            ),
            done="You reactivated the account.",
            confirm="Reactivate the account",
            back=self._page_of(account),
            audit_subject=("account", account.pk),
        )

    @action(description="Close", url_path="close", permissions=["close"], icon="block")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._account(request, object_id)
        return decision_page(
            self,
            request,
            permission="account_close",
            title=f"Close {account.grouped_number}",
            facts=[*self._facts(account), *_settlement_facts(account)],
            note="Interest and open fees are settled first. A rest goes to another account of the holder. An account with "
            "reservations, or one that owes money, does not close. What is closed stays closed.",
            form_class=_closing_form(account),
            decide=lambda given: services.close_account(
                actor=request.user,
                account_id=account.pk,
                payout_account_id=UUID(given["payout"]) if given.get("payout") else None,
                reason=given["reason"],
                now=timezone.now(),
            ),
            done="You closed the account.",
            confirm="Close the account",
            danger=True,
            back=self._page_of(account),
            audit_subject=("account", account.pk),
        )

    @action(description="Open for a customer", url_path="open-at-counter", permissions=["open"], icon="add")
    def open_at_counter(self, request: HttpRequest) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="account_open_for_customer",
            title="Open an account for a customer at the counter",
            facts=[],
            note="The customer's identity must be confirmed. The cash goes into the account at once.",
            form_class=CounterOpeningForm,
            initial={"client_id": uuid4()},
            decide=lambda given: services.open_at_counter(
                actor=request.user,
                owner_email=given["email"],
                product_code=given["product"],
                amount=given["amount"],
                client_id=given["client_id"],
                now=timezone.now(),
            ),
            done=lambda opened: f"You opened {opened.account.grouped_number}.",
            confirm="Open the account",
            back=reverse("admin:accounts_account_changelist"),
        )

    def has_open_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("identity.account_open_for_customer"))

    def has_freeze_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, "account_freeze", object_id, {"ACTIVE", "DORMANT"})

    def has_reactivate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, "account_reactivate", object_id, {"DORMANT"})

    def has_unfreeze_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, "account_freeze", object_id, {"FROZEN"})

    def has_close_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, "account_close", object_id, {"ACTIVE"})

    def _account(self, request: HttpRequest, object_id: str) -> Account:
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        return account

    def _facts(self, account: Account) -> list[tuple[str, object]]:
        holding = queries.holding_of(account)
        return [
            ("Account holder", self._holder_text(account)),
            ("Product", account.product.name),
            ("Status", account.get_status_display()),
            ("Balance", holding.posted),
            ("Reserved", holding.held),
        ]

    def _page_of(self, account: Account) -> str:
        return reverse("admin:accounts_account_change", args=[account.pk])


def _settlement_facts(account: Account) -> list[tuple[str, object]]:
    due = settlement(account, now=timezone.now())
    facts: list[tuple[str, object]] = [
        ("Interest to pay", due.interest),
        ("Overdraft interest", due.overdraft_interest),
    ]
    facts += [(f"Account fee, {date_format(fee.period, 'F Y')}", fee.amount) for fee in due.fees]
    facts.append(("Rest", due.rest))
    return [*facts, *(("In the way", text) for text in due.obstacles)]


def _closing_form(account: Account) -> type[DecisionForm]:
    """With a choice of the holder's other accounts that could take the rest."""
    others = [other for other in queries.own_accounts(account.owner).exclude(pk=account.pk) if other.can_receive]
    choices = [(str(other.pk), f"{other.grouped_number}, {other.product.name}") for other in others]

    class ClosingDecision(DecisionForm):
        payout = forms.ChoiceField(
            label="Pay the rest to",
            required=False,
            choices=[("", "Nothing is left"), *choices],
            widget=UnfoldAdminSelectWidget,
        )

    return ClosingDecision


def _holding(account: Account) -> queries.Holding:
    known: queries.Holding | None = getattr(account, "holding", None)
    if known is None:
        known = queries.holding_of(account)
        account.holding = known  # type: ignore[attr-defined]
    return known


def _may(request: HttpRequest, permission: str, object_id: str | None, states: set[str]) -> bool:
    """On the account's page a button stands only while it can be used; the deciding page itself tells what changed."""
    if not request.user.has_perm(f"identity.{permission}"):
        return False
    on_its_page = request.resolver_match is not None and request.resolver_match.url_name == "accounts_account_change"
    if not object_id or not on_its_page:
        return True
    try:
        return Account.objects.filter(pk=UUID(str(object_id)), status__in=states).exists()
    except ValueError:
        return False
