"""Accounts, products and rates in the back office."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import queries, services
from accounts.models import Account, Product, ReferenceRate
from audit import services as audit
from common.money import Money
from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from kyc import queries as kyc

LINES_SHOWN = 25


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
    list_display = ["number_grouped", "owner", "product", "status_badge", "balance", "opened_at"]
    list_filter = ["status", "product", "currency"]
    search_fields = ["number__iexact", "owner__email__istartswith", "owner__full_name__istartswith"]
    list_select_related = ["owner", "product"]
    ordering = ["-opened_at", "pk"]
    date_hierarchy = None
    fieldsets = [
        (None, {"fields": ["number_grouped", "status_badge", "holder", "product", "currency", "nickname"]}),
        ("Money", {"fields": ["balance", "held", "available", "newest_lines"]}),
        ("Opening", {"fields": ["opened_at", "opened_by", "opening_deposit", "opening_source", "closed_at"]}),
    ]
    readonly_fields = [
        "number_grouped",
        "status_badge",
        "holder",
        "balance",
        "held",
        "available",
        "newest_lines",
        "opening_deposit",
    ]
    actions_detail = ["freeze", "unfreeze", "close"]
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

    @display(description="number", ordering="number")
    def number_grouped(self, account: Account) -> str:
        return account.grouped_number

    @display(
        description="status", ordering="status", label={"Active": "success", "Frozen": "danger", "Closed": "default"}
    )
    def status_badge(self, account: Account) -> str:
        return account.get_status_display()

    @display(description="account holder")
    def holder(self, account: Account) -> str:
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
        return str(Money(account.opening_minor, account.currency))

    @display(description="newest postings")
    def newest_lines(self, account: Account) -> str:
        lines = queries.recent_lines(account, limit=LINES_SHOWN)
        rows = format_html_join(
            "",
            '<tr><td class="pr-6 py-1">{}</td><td class="pr-6 py-1">{}</td><td class="pr-6 py-1 text-right">{}</td>'
            '<td class="py-1 text-right">{}</td></tr>',
            (
                (line.booked_at.strftime("%Y-%m-%d %H:%M"), line.description, str(line.amount), str(line.balance))
                for line in lines
            ),
        )
        return format_html(
            '<table><thead><tr><th class="pr-6 text-left">{}</th><th class="pr-6 text-left">{}</th>'
            '<th class="pr-6 text-right">{}</th><th class="text-right">{}</th></tr></thead><tbody>{}</tbody></table>',
            *("Booked", "Description", "Amount", "Balance"),
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

    @action(description="Close", url_path="close", permissions=["close"], icon="block")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._account(request, object_id)
        return decision_page(
            self,
            request,
            permission="account_close",
            title=f"Close {account.grouped_number}",
            facts=self._facts(account),
            note="Only an empty account without reservations closes, and it stays closed.",
            decide=lambda given: services.close_account(
                actor=request.user, account_id=account.pk, reason=given["reason"], now=timezone.now()
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
        return _may(request, "account_freeze", object_id, {"ACTIVE"})

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
            ("Account holder", self.holder(account)),
            ("Product", account.product.name),
            ("Status", account.get_status_display()),
            ("Balance", holding.posted),
            ("Reserved", holding.held),
        ]

    def _page_of(self, account: Account) -> str:
        return reverse("admin:accounts_account_change", args=[account.pk])


def _holding(account: Account) -> queries.Holding:
    known: queries.Holding | None = getattr(account, "holding", None)
    if known is None:
        known = queries.holding_of(account)
        account.holding = known  # type: ignore[attr-defined]
    return known


def _may(request: HttpRequest, permission: str, object_id: str | None, states: set[str]) -> bool:
    if not request.user.has_perm(f"identity.{permission}"):
        return False
    if not object_id:
        return True
    try:
        return Account.objects.filter(pk=UUID(str(object_id)), status__in=states).exists()
    except ValueError:
        return False


class AuditedAdmin(ModelAdmin):
    """Editable with `product_edit`, readable with `account_view`; every change goes into the trail."""

    subject_kind: ClassVar[str]
    fixed_fields: ClassVar[list[str]] = []
    actions = None
    list_fullwidth = True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.account_view")) or self.has_change_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.product_edit"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.fixed_fields if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool) -> None:
        before = {name: str(form.initial.get(name, "")) for name in form.changed_data} if change else {}
        super().save_model(request, obj, form, change)
        audit.record(
            actor=request.user,
            action=f"{self.subject_kind}.{'changed' if change else 'added'}",
            subject_kind=self.subject_kind,
            subject_id=str(obj.pk),
            data={"before": before, "after": {name: str(getattr(obj, name)) for name in form.changed_data}},
        )


@admin.register(Product)
class ProductAdmin(AuditedAdmin):
    subject_kind = "product"
    # Accounts hold money in a product's currency, so these stay what they were.
    fixed_fields = ["code", "kind", "currency"]
    list_display = ["code", "name", "kind", "currency", "minimum_opening", "interest_rate", "is_open"]
    list_filter = ["kind", "currency", "is_open"]
    ordering = ["kind", "code"]

    @display(description="minimum opening deposit")
    def minimum_opening(self, product: Product) -> str:
        return str(product.min_opening)


@admin.register(ReferenceRate)
class ReferenceRateAdmin(AuditedAdmin):
    subject_kind = "reference_rate"
    fixed_fields = ["currency"]
    list_display = ["currency", "rate_to_base", "as_of"]
    ordering = ["currency"]
