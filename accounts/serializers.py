"""The shapes of the accounts API; input and output apart. Amounts are decimal text."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AccountFee, MonthlyStatement, Product, Status
from accounts.queries import Holding
from accounts.queries.closing import Settlement
from accounts.queries.fees import Listed
from accounts.queries.statements import Statement
from accounts.rules.fees import Operation
from accounts.rules.funding import FundingKind
from accounts.rules.statements.content import StatementLine
from common.money import Money
from common.rest import MoneyTextField
from common.shapes import Shape


class FeeBandOut(serializers.Serializer[Any]):
    from_amount = serializers.CharField(help_text="The band begins at this amount and ends where the next begins.")
    fixed = serializers.CharField()
    percent = serializers.CharField(help_text="Per cent of the whole amount.")


class FeeOut(serializers.Serializer[Listed]):
    """What one operation costs now: the band that the amount falls into prices all of it."""

    operation = serializers.ChoiceField(choices=[operation.value for operation in Operation])
    text = serializers.CharField(source="summary", help_text="As the portal shows it.")
    bands = serializers.SerializerMethodField()
    least = serializers.SerializerMethodField(help_text="Where a band has a percentage.")
    most = serializers.SerializerMethodField(help_text="Where a band has a percentage.")

    @extend_schema_field(FeeBandOut(many=True))
    def get_bands(self, listed: Listed) -> list[dict[str, str]]:
        bands = listed.tariff.bands if listed.tariff is not None else ()
        return [
            {
                "from_amount": Money(band.from_minor, listed.currency).plain,
                "fixed": Money(band.fixed_minor, listed.currency).plain,
                "percent": f"{band.rate.normalize():f}",
            }
            for band in bands
        ]

    def get_least(self, listed: Listed) -> str | None:
        return self._bound(listed, "least_minor")

    def get_most(self, listed: Listed) -> str | None:
        return self._bound(listed, "most_minor")

    def _bound(self, listed: Listed, name: str) -> str | None:
        minor = getattr(listed.tariff, name, None)
        return None if minor is None else Money(minor, listed.currency).plain


class ProductOut(serializers.ModelSerializer[Product]):
    min_opening = MoneyTextField(read_only=True)
    min_balance = MoneyTextField(read_only=True)
    overdraft = MoneyTextField(read_only=True)
    fees = serializers.SerializerMethodField(help_text="What costs something; every other operation is free.")

    @extend_schema_field(FeeOut(many=True))
    def get_fees(self, product: Product) -> Any:
        """From `prices` in the context, as `accounts.queries.fees.price_lists` makes them."""
        asked = [listed for listed in self.context["prices"][product.code] if listed.summary != "Free"]
        return [FeeOut(listed).data for listed in asked]

    class Meta:
        model = Product
        fields = [
            "code",
            "name",
            "kind",
            "currency",
            "description",
            "min_opening",
            "min_balance",
            "overdraft",
            "interest_rate",
            "overdraft_rate",
            "fees",
        ]
        read_only_fields = fields


class OpenAccountIn(serializers.Serializer[Any]):
    product = serializers.CharField(max_length=12, help_text="Product code, for example CUR-EUR.")
    amount = MoneyTextField(help_text="Opening deposit as decimal text in the product's currency.")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=[FundingKind.OWN_ACCOUNT.value, FundingKind.SANDBOX.value],
        help_text="OWN_ACCOUNT names the account in `source_account`; SANDBOX exists in a sandbox only.",
    )
    source_account = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needs = attrs["source"] == FundingKind.OWN_ACCOUNT.value
        if needs and not attrs.get("source_account"):
            raise serializers.ValidationError({"source_account": "Name the account that pays."}, code="required")
        if not needs and attrs.get("source_account"):
            raise serializers.ValidationError({"source_account": "Only OWN_ACCOUNT has one."}, code="invalid")
        return attrs


class BalanceOut(Shape[Holding]):
    """`available` is what may leave the account now, overdraft included."""

    currency = serializers.CharField(source="account.currency")
    balance = MoneyTextField(source="posted")
    held = MoneyTextField()
    available = MoneyTextField()


class AccountOut(BalanceOut):
    id = serializers.UUIDField(source="account.pk")
    number = serializers.CharField(source="account.number")
    name = serializers.CharField(help_text="The owner's own name for it, else the product's.")
    product = serializers.CharField(source="account.product_id")
    status = serializers.ChoiceField(source="account.status", choices=Status.choices)
    opened_at = serializers.DateTimeField(source="account.opened_at")
    closed_at = serializers.DateTimeField(source="account.closed_at", allow_null=True)


class ClosingFeeOut(serializers.Serializer[AccountFee]):
    month = serializers.DateField(source="period", format="%Y-%m")
    amount = MoneyTextField()
    note = serializers.CharField(help_text="How it was made up.")


class ClosingOut(serializers.Serializer[Settlement]):
    """What closing now would settle. A `rest` below zero has to be paid in first; one above needs `payout_account`."""

    currency = serializers.CharField(source="account.currency")
    balance = MoneyTextField(source="posted")
    held = MoneyTextField(help_text="Reserved: nothing closes before it is decided.")
    interest = MoneyTextField(help_text="Earned up to yesterday and not paid yet.")
    overdraft_interest = MoneyTextField(help_text="Owed up to yesterday.")
    fees = ClosingFeeOut(many=True)
    rest = MoneyTextField()
    obstacles = serializers.ListField(
        child=serializers.CharField(),
        help_text="What still needs the account, such as a loan; nothing closes before it ends.",
    )


class CloseIn(serializers.Serializer[Any]):
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")
    expected_rest = serializers.CharField(
        max_length=24, help_text="The `rest` that you were shown; with another one by now, nothing happens."
    )
    payout_account = serializers.UUIDField(
        required=False, default=None, allow_null=True, help_text="Id of another account of yours, for the rest."
    )


class ReactivateIn(serializers.Serializer[Any]):
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")


class PeriodIn(serializers.Serializer[Any]):
    """`from` and `to` are the first and the last day, both included, UTC."""

    to = serializers.DateField(required=False, help_text="Last day, included. Default: today.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        # `from` is a keyword of Python.
        fields["from"] = serializers.DateField(required=False, help_text="First day. Default: first of the month.")
        return fields


class StatementLineOut(serializers.Serializer[StatementLine]):
    entry_id = serializers.IntegerField()
    reference = serializers.CharField(
        help_text="Names this posting for ever; the FITID of OFX, the NtryRef of camt.053."
    )
    booked_at = serializers.DateTimeField()
    value_date = serializers.DateField()
    kind = serializers.CharField()
    description = serializers.CharField()
    amount = MoneyTextField(help_text="Negative when money left the account.")
    balance = MoneyTextField(help_text="What the account held afterwards.")


class MonthlyStatementOut(serializers.ModelSerializer[MonthlyStatement]):
    month = serializers.DateField(format="%Y-%m", help_text="Calendar month, UTC.")
    closing = MoneyTextField(read_only=True)
    format = serializers.CharField(source="form", help_text="`pdf`, or `csv` for a month with very many postings.")

    class Meta:
        model = MonthlyStatement
        fields = ["month", "number", "closing", "format", "size", "sha256", "issued_at"]
        read_only_fields = fields


class StatementOut(serializers.Serializer[Statement]):
    account = serializers.UUIDField(source="account.pk")
    number = serializers.CharField(source="account.number")
    statement_number = serializers.IntegerField(
        source="number", allow_null=True, help_text="Of an issued monthly statement; null for every other period."
    )
    currency = serializers.CharField(source="account.currency")
    first_day = serializers.DateField(source="since")
    last_day = serializers.DateField()
    opening = MoneyTextField()
    paid_in = MoneyTextField()
    paid_out = MoneyTextField()
    closing = MoneyTextField()
    lines = StatementLineOut(many=True)
