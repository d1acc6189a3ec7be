"""Shapes of the transactions API; what comes in and what goes out are apart."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.rest import MoneyTextField
from common.shapes import Shape
from payments.models import Kind, StandingOrder, StandingRun, Status
from payments.queries import LimitUse, PaymentDocument, SavedPayee, StandingOrderDocument

_CURRENCY = "ISO 4217; must be the account's own. Leave it out to take the account's."


class _MoneyIn(Shape[Any]):
    amount = MoneyTextField()
    currency = serializers.CharField(max_length=3, required=False, default="", help_text=_CURRENCY)
    description = serializers.CharField(max_length=140, required=False, default="", allow_blank=True)


class DepositIn(_MoneyIn):
    account_number = serializers.CharField(max_length=40)


class WithdrawIn(_MoneyIn):
    debit_account = serializers.UUIDField(help_text="Id of your account.")
    iban = serializers.CharField(max_length=42, help_text="An account at another bank.")
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")
    country = serializers.CharField(max_length=2, required=False, default="", help_text="Sandbox only: pretend place.")


class TransferIn(_MoneyIn):
    debit_account = serializers.UUIDField(help_text="Id of your account.")
    payee_number = serializers.CharField(max_length=40, required=False, help_text="Somebody else's account number.")
    payee_name = serializers.CharField(max_length=140, required=False, help_text="Compared with the account's holder.")
    credit_account = serializers.UUIDField(
        required=False, help_text="Id of another account of yours, in place of the payee."
    )
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")
    country = serializers.CharField(max_length=2, required=False, default="", help_text="Sandbox only: pretend place.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        to_others = "payee_number" in attrs and "payee_name" in attrs
        if "credit_account" in attrs and ("payee_number" in attrs or "payee_name" in attrs):
            raise serializers.ValidationError({"credit_account": "Name a payee or an own account, not both."})
        if "credit_account" not in attrs and not to_others:
            missing = [name for name in ("payee_number", "payee_name") if name not in attrs]
            raise serializers.ValidationError(dict.fromkeys(missing, "This field is required."))
        return attrs


class ReasonOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class PaymentOut(Shape[PaymentDocument]):
    """A payment; `status` is the outcome. What only the payer may know is null for the payee."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    status = serializers.ChoiceField(choices=Status.choices)
    direction = serializers.ChoiceField(choices=["IN", "OUT", "OWN"])
    account = serializers.UUIDField(source="account.pk")
    account_number = serializers.CharField(source="account.number")
    other_name = serializers.CharField()
    other_number = serializers.CharField()
    amount = MoneyTextField()
    fee = MoneyTextField(allow_null=True)
    fee_note = serializers.CharField(help_text="How the fee was made up; empty when there is none.")
    currency = serializers.CharField(source="amount.currency")
    description = serializers.CharField()
    name_check = serializers.CharField(help_text="MATCH, CLOSE, NO_MATCH, or empty.")
    reasons = serializers.SerializerMethodField()
    refusal_code = serializers.CharField()
    refusal_text = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When a held payment ends by itself.")
    reversed_at = serializers.DateTimeField(allow_null=True)

    def get_reasons(self, payment: PaymentDocument) -> list[dict[str, str]]:
        return [{"code": code, "text": text} for code, text in payment.reasons]


class PayeeIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=140)
    payee_number = serializers.CharField(
        max_length=40, required=False, default="", help_text="An account of this bank."
    )
    iban = serializers.CharField(max_length=42, required=False, default="", help_text="Or one at another bank.")
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["payee_number"]) == bool(attrs["iban"]):
            raise serializers.ValidationError({"payee_number": "Send an account number or an IBAN, one of both."})
        return attrs


class PayeeOut(serializers.Serializer[SavedPayee]):
    id = serializers.UUIDField(source="payee.pk")
    name = serializers.CharField(source="payee.name")
    payee_number = serializers.SerializerMethodField(help_text="An account of this bank, or empty.")
    iban = serializers.CharField(source="payee.iban")
    name_check = serializers.CharField(source="payee.name_match", help_text="MATCH, CLOSE, NO_MATCH, or empty.")
    is_new = serializers.BooleanField(help_text="The lower limit for new payees holds.")
    created_at = serializers.DateTimeField(source="payee.created_at")

    def get_payee_number(self, found: SavedPayee) -> str:
        return found.number if found.payee.account else ""


class LimitUseOut(serializers.Serializer[LimitUse]):
    limit = MoneyTextField(allow_null=True, help_text="What holds; null for no limit.")
    bank = MoneyTextField(allow_null=True)
    own = MoneyTextField(allow_null=True)
    used = MoneyTextField()


class ChannelLimitsOut(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=["PORTAL", "API", "BULK"])
    currency = serializers.CharField()
    per_payment = LimitUseOut()
    daily = LimitUseOut()
    monthly = LimitUseOut()
    new_payee = LimitUseOut()


class LimitsOut(serializers.Serializer[Any]):
    channels = ChannelLimitsOut(many=True)


class OwnLimitsIn(serializers.Serializer[Any]):
    per_payment = MoneyTextField(allow_null=True)
    daily = MoneyTextField(allow_null=True)
    monthly = MoneyTextField(allow_null=True)
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")


class StandingOrderIn(serializers.Serializer[Any]):
    debit_account = serializers.UUIDField(help_text="Id of your account.")
    payee_number = serializers.CharField(
        max_length=40, required=False, default="", help_text="Somebody else's account."
    )
    payee_name = serializers.CharField(max_length=140, required=False, default="")
    iban = serializers.CharField(max_length=42, required=False, default="", help_text="An account at another bank.")
    credit_account = serializers.UUIDField(required=False, default=None, help_text="Id of another account of yours.")
    amount = MoneyTextField(help_text="In the currency of the account that pays.")
    unit = serializers.ChoiceField(choices=["ONCE", "WEEK", "MONTH"])
    every = serializers.IntegerField(min_value=1, max_value=52, required=False, default=1)
    first_date = serializers.DateField()
    last_date = serializers.DateField(required=False, default=None, allow_null=True)
    description = serializers.CharField(max_length=140, required=False, default="", allow_blank=True)
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(bool(attrs[name]) for name in ("payee_number", "iban", "credit_account")) != 1:
            raise serializers.ValidationError({"payee_number": "Name one payee: a number, an IBAN or an own account."})
        return attrs


class StandingOrderOut(serializers.Serializer[StandingOrderDocument]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["TRANSFER", "OWN_TRANSFER", "WITHDRAWAL"])
    status = serializers.ChoiceField(choices=StandingOrder.Status.choices)
    debit_account = serializers.UUIDField(source="account.pk")
    payee_name = serializers.CharField()
    payee_number = serializers.CharField()
    name_check = serializers.CharField(help_text="MATCH, CLOSE, NO_MATCH, or empty.")
    amount = MoneyTextField()
    currency = serializers.CharField(source="amount.currency")
    description = serializers.CharField()
    unit = serializers.ChoiceField(choices=["ONCE", "WEEK", "MONTH"])
    every = serializers.IntegerField()
    first_date = serializers.DateField()
    last_date = serializers.DateField(allow_null=True)
    next_dates = serializers.ListField(child=serializers.DateField(), help_text="The next three days at most.")


class StandingRunOut(serializers.Serializer[StandingRun]):
    due_date = serializers.DateField()
    status = serializers.ChoiceField(choices=StandingRun.Status.choices)
    payment = serializers.UUIDField(source="payment_id", allow_null=True)
    attempts = serializers.IntegerField()
    failure_code = serializers.CharField()
    failure_text = serializers.CharField()


class StandingOrderWithRunsOut(StandingOrderOut):
    runs = StandingRunOut(many=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = StandingOrderOut(instance["order"]).data
        return {**shown, "runs": StandingRunOut(instance["runs"], many=True).data}
