"""What the bank offers and on which terms, and the rates that make currencies comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import Product, ReferenceRate
from audit import services as audit
from common.errors import Invalid
from common.money import Money

if TYPE_CHECKING:
    _ModelForm = ModelForm[Product]
else:
    _ModelForm = ModelForm

_TERMS_NOTE = (
    "Changed terms hold for accounts opened from then on. Accounts that exist keep the minimum balance, overdraft, "
    "interest and fee that they were opened with."
)


class MinorField(forms.CharField):
    """An amount as people write it, 20.00, kept in minor units of `currency`; zero is an amount too."""

    widget = UnfoldAdminTextInputWidget
    currency = settings.BASE_CURRENCY

    def prepare_value(self, value: Any) -> Any:
        return Money(value, self.currency).plain if isinstance(value, int) else value

    def clean(self, value: Any) -> int:  # type: ignore[override]
        text = super().clean(value).strip()
        if text and not text.strip("0."):
            return 0
        try:
            return Money.parse(text, self.currency).amount_minor
        except Invalid as error:
            raise forms.ValidationError(error.text, code=error.error_code) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(data) != initial
        except forms.ValidationError:
            return True


class ProductForm(_ModelForm):
    min_opening_minor = MinorField(label="Minimum opening deposit", max_length=24)
    min_balance_minor = MinorField(label="Minimum balance", max_length=24, initial=0)
    overdraft_minor = MinorField(label="Overdraft", max_length=24, initial=0)
    transfer_fee_minor = MinorField(label="Fee for a transfer to others", max_length=24, initial=0)

    class Meta:
        model = Product
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = self.instance.currency or self.data.get("currency", "")
        for field in self.fields.values():
            if isinstance(field, MinorField) and len(currency) == 3 and currency.isalpha():
                field.currency = currency.upper()

    def clean_min_opening_minor(self) -> int:
        minor: int = self.cleaned_data["min_opening_minor"]
        if minor == 0:
            raise forms.ValidationError("Enter an amount above zero.")
        return minor


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
    form = ProductForm
    # Accounts hold money in a product's currency, so these stay what they were.
    fixed_fields = ["code", "kind", "currency"]
    list_display = ["name", "code", "kind", "currency", "minimum_opening", "interest", "fee", "is_open"]
    list_filter = ["kind", "currency", "is_open"]
    ordering = ["kind", "code"]
    offer: ClassVar[list[str]] = ["name", "code", "kind", "currency", "description", "is_open", "allows_bulk"]
    terms: ClassVar[list[str]] = [
        "min_opening_minor",
        "min_balance_minor",
        "overdraft_minor",
        "interest_rate",
        "overdraft_rate",
        "day_count",
        "compounding",
        "transfer_fee_minor",
    ]
    shown_terms: ClassVar[list[str]] = [
        "minimum_opening",
        "minimum_balance",
        "overdraft_limit",
        "interest",
        "overdraft_interest",
        "day_count",
        "compounding",
        "fee",
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Whoever may only look reads amounts with their currency."""
        terms = self.terms if self.has_change_permission(request, obj) else self.shown_terms
        return [(None, {"fields": self.offer}), ("Terms", {"fields": terms, "description": _TERMS_NOTE})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if self.has_change_permission(request, obj) else [*fixed, *self.shown_terms]

    @display(description="minimum opening deposit", ordering="min_opening_minor")
    def minimum_opening(self, product: Product) -> str:
        return str(product.min_opening)

    @display(description="minimum balance")
    def minimum_balance(self, product: Product) -> str:
        return str(product.min_balance)

    @display(description="overdraft")
    def overdraft_limit(self, product: Product) -> str:
        return str(product.overdraft)

    @display(description="interest a year", ordering="interest_rate")
    def interest(self, product: Product) -> str:
        return f"{product.interest_rate:.2f} %"

    @display(description="overdraft interest a year")
    def overdraft_interest(self, product: Product) -> str:
        return f"{product.overdraft_rate:.2f} %"

    @display(description="fee for a transfer", ordering="transfer_fee_minor")
    def fee(self, product: Product) -> str:
        return str(product.transfer_fee) if product.transfer_fee_minor else "Free"


@admin.register(ReferenceRate)
class ReferenceRateAdmin(AuditedAdmin):
    subject_kind = "reference_rate"
    fixed_fields = ["currency"]
    list_display = ["currency", "rate_to_base", "as_of"]
    ordering = ["currency"]
