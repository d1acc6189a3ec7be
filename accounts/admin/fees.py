"""Fees in the back office: what operations cost, version by version, and a form for the next version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import services
from accounts.models import AccountFee, FeeVersion, Product
from accounts.models.fee import OPERATIONS
from accounts.rules import fees
from accounts.rules.fees import MOST_BANDS, Band, Operation, Tariff
from common.money import Money
from identity.backoffice import DecisionForm, MinorField, ReadOnlyAdmin, decision_page


class BandWidget(forms.MultiWidget):
    """From which amount, the fixed part and the percentage, side by side."""

    use_fieldset = True
    PARTS: ClassVar[dict[str, str]] = {"From amount": "From", "Fixed part": "Fixed", "Per cent": "Per cent"}

    def __init__(self) -> None:
        super().__init__(
            {
                name.split()[0].lower(): UnfoldAdminTextInputWidget(
                    attrs={"placeholder": short, "aria-label": name, "inputmode": "decimal", "autocomplete": "off"}
                )
                for name, short in self.PARTS.items()
            }
        )

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html('<div class="office-band">{}</div>', super().render(*args, **kwargs))

    def decompress(self, value: Any) -> list[str]:
        return value or ["", "", ""]


class BandField(forms.MultiValueField):
    """A band of a tariff, or None when all three inputs are empty. `currency` is the product's."""

    widget = BandWidget

    def __init__(self, **kwargs: Any) -> None:
        self.minor = MinorField(max_length=24, required=False)
        rate = forms.DecimalField(min_value=0, max_value=100, max_digits=7, decimal_places=4, required=False)
        parts = (forms.CharField(max_length=24, required=False), forms.CharField(max_length=24, required=False), rate)
        super().__init__(parts, require_all_fields=False, required=False, **kwargs)

    def compress(self, data_list: Sequence[Any]) -> Band | None:
        if not data_list or all(part in ("", None) for part in data_list):
            return None
        start, fixed, rate = data_list
        return Band(self.minor.clean(start) or 0, self.minor.clean(fixed) or 0, rate or Decimal(0))


class FeeForm(DecisionForm):
    """One operation of one product; one row of three inputs for each band of amounts."""

    product = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    operation = forms.ChoiceField(choices=OPERATIONS, widget=UnfoldAdminSelectWidget)
    band_1 = BandField(label="All amounts, or the first band", help_text="Leave all three empty for free of charge.")
    band_2 = BandField(label="Second band")
    band_3 = BandField(label="Third band")
    band_4 = BandField(label="Fourth band")
    least = MinorField(label="At least", max_length=24, required=False, help_text="For bands with a percentage.")
    most = MinorField(label="At most", max_length=24, required=False, help_text="For bands with a percentage.")
    valid_from = forms.DateField(
        label="Holds from",
        required=False,
        help_text="The start of that day (UTC). Empty: from now on.",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        products = list(Product.objects.order_by("kind", "code"))
        self.fields["product"].choices = [(each.code, str(each)) for each in products]  # type: ignore[attr-defined]
        currency = {each.code: each.currency for each in products}.get(self.data.get("product", ""))
        if currency is not None:
            self.fields["least"].currency = self.fields["most"].currency = currency  # type: ignore[attr-defined]
            for name in self._band_names():
                self.fields[name].minor.currency = currency  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The tariff that the inputs make, refused where it is none."""
        given = super().clean() or {}
        if not self.errors:
            bands = tuple(given[name] for name in self._band_names() if given.get(name) is not None)
            tariff = Tariff(bands or fees.flat(0).bands, given["least"], given["most"])
            if problem := fees.flaw(tariff):
                raise forms.ValidationError(problem)
            given["tariff"] = tariff
        return given

    def clean_valid_from(self) -> datetime | None:
        day = self.cleaned_data["valid_from"]
        return datetime.combine(day, time.min, tzinfo=UTC) if day is not None else None

    def _band_names(self) -> list[str]:
        return [f"band_{number}" for number in range(1, MOST_BANDS + 1)]


@admin.register(FeeVersion)
class FeeVersionAdmin(ReadOnlyAdmin):
    view_permission = "account_view"
    list_display = ["product_name", "operation", "price", "state", "from_when", "author"]
    list_filter = ["product", "operation"]
    list_select_related = ["product", "entered_by"]
    ordering = ["product__kind", "product_id", "operation", "-valid_from", "-pk"]
    fields = ["product_name", "operation", "price", "state", "from_when", "author", "entered_at"]
    readonly_fields = ["product_name", "price", "state", "from_when", "author"]
    actions_list = ["set_fee"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeeVersion]:
        rows = super().get_queryset(request).select_related("product", "entered_by").prefetch_related("bands")
        same = FeeVersion.objects.filter(product=OuterRef("product"), operation=OuterRef("operation"))
        newest = same.filter(valid_from__lte=Now()).order_by("-valid_from", "-pk").values("pk")[:1]
        return rows.annotate(newest=Subquery(newest))

    @display(description="product", ordering="product_id")
    def product_name(self, version: FeeVersion) -> str:
        return str(version.product)

    @display(description="fee")
    def price(self, version: FeeVersion) -> str:
        return fees.summary(version.tariff, version.product.currency)

    @display(description="holds", label={"Now": "success", "To come": "info", "Before": "default"})
    def state(self, version: FeeVersion) -> str:
        if version.valid_from > timezone.now():
            return "To come"
        return "Now" if version.newest == version.pk else "Before"  # type: ignore[attr-defined]

    @display(description="from", ordering="valid_from")
    def from_when(self, version: FeeVersion) -> str:
        if version.entered_by_id is None:
            return "The beginning"
        return date_format(version.valid_from, "j M Y, H:i")

    @display(description="entered by")
    def author(self, version: FeeVersion) -> str:
        return version.entered_by.get_full_name() if version.entered_by else "Came with the bank"

    @action(description="Set a fee", url_path="set", permissions=["set"], icon="add")
    def set_fee(self, request: HttpRequest) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="product_edit",
            title="Set a fee",
            facts=[],
            note="It holds for every account of the product. What was paid before keeps its fee. The band that an amount "
            "falls into prices all of it. Amounts are in the product's currency.",
            form_class=FeeForm,
            decide=lambda given: services.set_fee(
                actor=request.user,
                product_code=given["product"],
                operation=Operation(given["operation"]),
                tariff=given["tariff"],
                valid_from=given["valid_from"],
                reason=given["reason"],
                now=timezone.now(),
            ),
            done="The fee is set.",
            confirm="Set the fee",
            back=reverse("admin:accounts_feeversion_changelist"),
        )

    def has_set_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("identity.product_edit"))


_STATE_TONES = {
    "Collected": "success",
    "Open": "warning",
    "Waived": "info",
    "Given back": "info",
    "Nothing to pay": "default",
}


class CollectedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("collected", "Collected"), ("waived", "Waived"), ("nothing", "Nothing to pay")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccountFee]) -> QuerySet[AccountFee]:
        conditions = {
            "open": Q(entry_id__isnull=True, amount_minor__gt=0, waiver__isnull=True),
            "collected": Q(entry_id__isnull=False, waiver__isnull=True),
            "waived": Q(waiver__isnull=False),
            "nothing": Q(amount_minor=0),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(AccountFee)
class AccountFeeAdmin(ReadOnlyAdmin):
    view_permission = "account_view"
    list_display = ["account_number", "month", "sum", "state", "note", "collected_at"]
    list_filter = [CollectedFilter, "account__product"]
    search_fields = ["account__number__iexact"]
    search_help_text = "Account number"
    list_select_related = ["account", "waiver"]
    ordering = ["-period", "pk"]
    fields = [
        "account_number",
        "month",
        "basis",
        "sum",
        "note",
        "state",
        "asked_at",
        "tried_at",
        "collected_at",
        "waived_by",
    ]
    readonly_fields = ["account_number", "month", "basis", "sum", "state", "waived_by"]
    actions_detail = ["waive"]

    @display(description="account", ordering="account__number")
    def account_number(self, fee: AccountFee) -> SafeString:
        url = reverse("admin:accounts_account_change", args=[fee.account_id])
        return format_html('<a class="office-link" href="{}">{}</a>', url, fee.account.grouped_number)

    @display(description="month", ordering="period")
    def month(self, fee: AccountFee) -> str:
        return date_format(fee.period, "F Y")

    @display(description="balance it was priced by")
    def basis(self, fee: AccountFee) -> str:
        return str(Money(fee.basis_minor, fee.account.currency))

    @display(description="fee", ordering="amount_minor")
    def sum(self, fee: AccountFee) -> str:
        return str(fee.amount)

    @display(description="state", label=_STATE_TONES)
    def state(self, fee: AccountFee) -> str:
        if not fee.amount_minor:
            return "Nothing to pay"
        if fee.waived:
            return "Waived" if fee.waiver.refund_entry_id is None else "Given back"
        return "Open" if fee.entry_id is None else "Collected"

    @display(description="waived by")
    def waived_by(self, fee: AccountFee) -> str:
        if not fee.waived:
            return "Nobody"
        return f"{fee.waiver.waived_by.get_full_name()}, {date_format(fee.waiver.waived_at, 'j M Y, H:i')}"

    @action(description="Waive", url_path="waive", permissions=["waive"], icon="money_off")
    def waive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        fee = self.get_object(request, object_id)
        if fee is None:
            raise Http404
        collected = fee.entry_id is not None
        return decision_page(
            self,
            request,
            permission="fee_waive",
            title=f"Waive the fee of {fee.account.grouped_number} for {self.month(fee)}",
            facts=[
                ("Holder", fee.account.owner.get_full_name()),
                ("Fee", str(fee.amount)),
                ("How it was made up", fee.note),
                ("State", self.state(fee)),
            ],
            note=f"{'The money goes back to the account.' if collected else 'It is not owed any more.'} The owner is told.",
            decide=lambda given: services.waive_account_fee(
                actor=request.user, fee_id=fee.pk, reason=given["reason"], now=timezone.now()
            ),
            done="You waived the fee.",
            confirm="Waive the fee",
            back=reverse("admin:accounts_accountfee_change", args=[fee.pk]),
            audit_subject=("account", fee.account_id),
        )

    def has_waive_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """On the fee's page the button stands only while it can be used; the deciding page itself tells what changed."""
        if not request.user.has_perm("identity.fee_waive"):
            return False
        on_its_page = request.resolver_match is not None and request.resolver_match.url_name.endswith("fee_change")
        if not on_its_page or not str(object_id).isdecimal():
            return True
        return AccountFee.objects.filter(amount_minor__gt=0, waiver__isnull=True, pk=object_id).exists()
