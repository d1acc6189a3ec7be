"""What the bank offers and on which terms, and the rates that make currencies comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.models import Product, ReferenceRate
from accounts.queries import fees as queries
from audit import services as audit
from identity.backoffice import MinorField

if TYPE_CHECKING:
    _ModelForm = ModelForm[Product]
else:
    _ModelForm = ModelForm

_TERMS_NOTE = (
    "Changed terms hold for accounts opened from then on. Accounts that exist keep the minimum balance, overdraft, "
    "interest that they were opened with. Fees are versions of their own and hold for every account."
)


class ProductForm(_ModelForm):
    min_opening_minor = MinorField(label="Minimum opening deposit", max_length=24)
    min_balance_minor = MinorField(label="Minimum balance", max_length=24, initial=0)
    overdraft_minor = MinorField(label="Overdraft", max_length=24, initial=0)

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
    list_display = ["name", "code", "kind", "currency", "minimum_opening", "interest", "is_open"]
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
        "dormant_after_days",
    ]
    shown_terms: ClassVar[list[str]] = [
        "minimum_opening",
        "minimum_balance",
        "overdraft_limit",
        "interest",
        "overdraft_interest",
        "day_count",
        "compounding",
        "dormant_after_days",
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Whoever may only look reads amounts with their currency."""
        terms = self.terms if self.has_change_permission(request, obj) else self.shown_terms
        shown = [(None, {"fields": self.offer}), ("Terms", {"fields": terms, "description": _TERMS_NOTE})]
        return [*shown, ("Fees", {"fields": ["fees"]})] if obj is not None else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        fixed = super().get_readonly_fields(request, obj)
        fixed = [*fixed, "fees"] if obj is not None else fixed
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

    @display(description="fees now")
    def fees(self, product: Product) -> SafeString:
        listed = queries.price_list(product, at=timezone.now())
        lines = format_html_join("", "<li>{}: {}</li>", ((one.label, one.summary) for one in listed))
        url = f"{reverse('admin:accounts_feeversion_changelist')}?{urlencode({'product__code__exact': product.code})}"
        return format_html('<ul>{}</ul><a class="office-link" href="{}">Fees and their versions</a>', lines, url)


@admin.register(ReferenceRate)
class ReferenceRateAdmin(AuditedAdmin):
    subject_kind = "reference_rate"
    fixed_fields = ["currency"]
    list_display = ["currency", "rate_to_base", "as_of"]
    ordering = ["currency"]
