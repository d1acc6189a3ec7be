"""What the bank lends on which terms, by which policy it decides, and what lateness means. Every change goes into the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Max, Model
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from audit import services as audit
from common.money import Money
from identity.backoffice import MinorField
from identity.models import User
from loans.admin.orders import OrderField
from loans.models import Bucket, LoanProduct, Policy, RateBand
from loans.rules import spending
from loans.rules.parsing import read_allocation

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

_NOTE = (
    "Changed terms hold for offers made from then on. Offers and loans that exist keep the terms they were made with."
)


def _amount(name: str, label: str) -> Any:
    """What shows the minor units of a field as money."""

    @display(description=label)  # type: ignore[untyped-decorator]
    def shown(admin: ModelAdmin, row: Model) -> str:
        return str(Money(getattr(row, name), getattr(row, "currency", settings.BASE_CURRENCY)))

    return shown


class _Configuration(ModelAdmin):
    """Readable with `loan_view`, editable with `product_edit`; nothing is deleted."""

    subject_kind: ClassVar[str]
    # Fields that are read in other words than they are edited.
    read_as: ClassVar[dict[str, str]] = {}
    actions = None
    list_fullwidth = True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.loan_view")) or self.has_change_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.product_edit"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("identity.product_edit"))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who only looks reads amounts with their currency, and the order of payments in words."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [(name, {**parts, "fields": [self._read(each) for each in parts["fields"]]}) for name, parts in found]

    def _read(self, field: Any) -> Any:
        return self.read_as.get(field, field) if isinstance(field, str) else tuple(map(self._read, field))

    def save_model(self, request: HttpRequest, obj: Model, form: _ModelForm, change: bool) -> None:
        before = {name: str(form.initial.get(name, "")) for name in form.changed_data} if change else {}
        super().save_model(request, obj, form, change)
        audit.record(
            actor=request.user,
            action=f"{self.subject_kind}.{'changed' if change else 'added'}",
            subject_kind=self.subject_kind,
            subject_id=str(obj.pk),
            data={"before": before, "after": {name: str(getattr(obj, name)) for name in form.changed_data}},
        )


class _MajorForm(_ModelForm):
    """Amounts as people write them, in the currency of the product, or that of the bank."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = getattr(self.instance, "currency", "") or self.data.get("currency", "")
        for field in self.fields.values():
            if isinstance(field, MinorField) and len(currency) == 3 and currency.isalpha():
                field.currency = currency.upper()


class LoanProductForm(_MajorForm):
    min_amount_minor = MinorField(label="Smallest amount", max_length=24)
    max_amount_minor = MinorField(label="Largest amount", max_length=24)
    arrangement_fee_minor = MinorField(label="Arrangement fee", max_length=24, initial=0)
    instalment_fee_minor = MinorField(label="Fee per instalment", max_length=24, initial=0)
    penalty_minor = MinorField(label="Late penalty", max_length=24, initial=0)
    allocation = OrderField(label="A payment is spent on, in this order")


class PolicyForm(_MajorForm):
    approve_up_to_minor = MinorField(label="Approve by itself up to", max_length=24, initial=25_000_00)
    second_officer_above_minor = MinorField(label="A second officer above", max_length=24, initial=50_000_00)


class RateBandInline(TabularInline):
    model = RateBand
    extra = 0
    ordering = ["min_score"]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.loan_view") or request.user.has_perm("identity.product_edit"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.product_edit"))

    has_add_permission = has_change_permission
    has_delete_permission = has_change_permission


@admin.register(LoanProduct)
class LoanProductAdmin(_Configuration):
    subject_kind = "loan_product"
    form = LoanProductForm
    read_as: ClassVar[dict[str, str]] = {
        "min_amount_minor": "smallest_amount",
        "max_amount_minor": "largest_amount",
        "arrangement_fee_minor": "arrangement_fee",
        "instalment_fee_minor": "instalment_fee",
        "penalty_minor": "late_penalty",
        "allocation": "spent_on",
    }
    smallest_amount = _amount("min_amount_minor", "smallest amount")
    largest_amount = _amount("max_amount_minor", "largest amount")
    arrangement_fee = _amount("arrangement_fee_minor", "arrangement fee")
    instalment_fee = _amount("instalment_fee_minor", "fee per instalment")
    late_penalty = _amount("penalty_minor", "late penalty")
    inlines = [RateBandInline]
    list_display = ["name", "code", "kind", "amounts", "lasting", "rate", "is_open"]
    list_filter = ["kind", "is_open"]
    ordering = ["kind", "code"]
    fieldsets = [
        (None, {"fields": ["name", "code", "kind", "currency", "description", "is_open"]}),
        (
            "Terms",
            {
                "description": _NOTE,
                "fields": [
                    ("min_amount_minor", "max_amount_minor"),
                    ("every", "frequency"),
                    ("min_instalments", "max_instalments"),
                    ("annual_rate", "day_count"),
                    ("method", "fixed_instalment_percent"),
                    ("principal_grace", "interest_grace"),
                    ("interest_basis", "payoff_interest"),
                    ("prepayment", "max_tranches"),
                    "cooling_off_days",
                ],
            },
        ),
        ("Payments", {"fields": ["allocation", "takes_partial", ("retries", "retry_days")]}),
        (
            "Charges",
            {
                "fields": [
                    ("arrangement_fee_percent", "arrangement_fee_minor"),
                    "instalment_fee_basis",
                    ("instalment_fee_minor", "instalment_fee_percent"),
                    ("penalty_basis", "penalty_grace_days"),
                    ("penalty_minor", "penalty_percent"),
                ]
            },
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["code", "kind", "currency", "every", "frequency"] if obj is not None else []

    @display(description="a payment is spent on")  # type: ignore[untyped-decorator]
    def spent_on(self, product: LoanProduct) -> str:
        return spending.in_words(read_allocation(product.allocation, "allocation"))

    @display(description="amount", ordering="max_amount_minor")  # type: ignore[untyped-decorator]
    def amounts(self, product: LoanProduct) -> str:
        return f"{product.min_amount} to {product.max_amount}"

    @display(description="term")  # type: ignore[untyped-decorator]
    def lasting(self, product: LoanProduct) -> str:
        return product.term

    @display(description="rate a year", ordering="annual_rate")  # type: ignore[untyped-decorator]
    def rate(self, product: LoanProduct) -> str:
        return f"{product.annual_rate:.2f} %"


@admin.register(Policy)
class PolicyAdmin(_Configuration):
    """A version is never changed; adding one replaces the last."""

    subject_kind = "loan_policy"
    form = PolicyForm
    read_as: ClassVar[dict[str, str]] = {
        "approve_up_to_minor": "approve_up_to",
        "second_officer_above_minor": "second_officer_above",
    }
    approve_up_to = _amount("approve_up_to_minor", "approve by itself up to")
    list_display = ["version", "created_at", "created_by", "approve_from_score", "second_officer_above"]
    ordering = ["-version"]
    fields = [
        "approve_from_score",
        "refer_from_score",
        "approve_up_to_minor",
        "second_officer_above_minor",
        "approve_up_to_burden",
        "decline_above_burden",
    ]

    @display(description="a second officer above", ordering="second_officer_above_minor")  # type: ignore[untyped-decorator]
    def second_officer_above(self, policy: Policy) -> str:
        return str(Money(policy.second_officer_above_minor, settings.BASE_CURRENCY))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.loan_view") or request.user.has_perm("identity.product_edit"))

    def save_model(self, request: HttpRequest, obj: Model, form: _ModelForm, change: bool) -> None:
        assert isinstance(obj, Policy)
        assert isinstance(request.user, User)
        obj.version = (Policy.objects.aggregate(last=Max("version"))["last"] or 0) + 1
        obj.created_by, obj.created_at = request.user, timezone.now()
        super().save_model(request, obj, form, change)


@admin.register(Bucket)
class BucketAdmin(_Configuration):
    subject_kind = "loan_bucket"
    list_display = ["name", "from_days", "provision_percent", "told"]
    ordering = ["from_days"]
    fields = ["from_days", "name", "provision_percent", "told"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["from_days"] if obj is not None else []
