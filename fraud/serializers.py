"""The shape of the fraud API's input and output."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.money import Money
from common.rest import MoneyTextField
from common.shapes import Shape
from fraud import subjects
from fraud.errors import InvalidCondition
from fraud.models import Backtest, CaseStatus, Decision, Rule, RuleAction, RuleState
from fraud.queries.configuration import FeatureState, ModelInCharge
from fraud.queries.transactions import standing
from fraud.rules import conditions, wording
from fraud.rules.facts import Outcome, RiskLevel, TransferType, risk_level
from fraud.rules.fraud_kinds import FraudKind

MOST_IN_A_BATCH = 10_000
RISK_WORDS = {RiskLevel.SAFE: "LOW", RiskLevel.SUSPICIOUS: "MEDIUM", RiskLevel.CRITICAL: "HIGH"}


class ReasonIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000, help_text="Kept in the audit trail with the caller's name.")


class DecisionIn(ReasonIn):
    checked = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        default=list,
        max_length=20,
        help_text="Codes of the checklist that were looked at; all of them are needed.",
    )


class RejectionIn(DecisionIn):
    fraud_kind = serializers.ChoiceField(
        choices=[kind.value for kind in FraudKind],
        required=False,
        source="kind",
        help_text="The kind of fraud, as far as it is known.",
    )


class LayerOut(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="supervised, isolation_forest, one_class_svm or autoencoder")
    enabled = serializers.BooleanField(help_text="Whether it takes part in decisions.")


class ThresholdsOut(serializers.Serializer[Any]):
    flag_at = serializers.FloatField()
    block_at = serializers.FloatField()


class ModelOut(serializers.Serializer[ModelInCharge]):
    """The champion: null fields while rules alone decide."""

    number = serializers.IntegerField(allow_null=True)
    promoted_at = serializers.DateTimeField(allow_null=True)
    window = serializers.ListField(child=serializers.DateTimeField(), help_text="Of the data it learnt from.")
    label_cut_off = serializers.DateTimeField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    metrics = serializers.DictField(help_text="On the last days before it was trained.")
    libraries = serializers.DictField(child=serializers.CharField())
    layers = LayerOut(many=True)
    thresholds = ThresholdsOut()
    schema_hash = serializers.CharField(help_text="Of the table of features that decisions use now.")
    live_rules = serializers.ListField(child=serializers.CharField())


class FeatureOut(serializers.Serializer[FeatureState]):
    name = serializers.CharField(source="feature.name")
    label = serializers.CharField(source="feature.label")  # type: ignore[assignment]
    group = serializers.ChoiceField(
        choices=["model", "entity"], help_text="Models see both, unlabelled layers the first."
    )
    unit = serializers.CharField(source="feature.unit")
    window = serializers.CharField(source="feature.window", help_text="Empty: this payment.")
    description = serializers.CharField(source="feature.description")
    enabled = serializers.BooleanField()


class RuleIn(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40, help_text="Capital letters, digits and underscores.")
    name = serializers.CharField(max_length=80)
    condition = serializers.DictField(help_text="A tree of all, any, not and comparisons; amounts as text.")
    action = serializers.ChoiceField(choices=RuleAction.choices)
    customer_text = serializers.CharField(max_length=200, help_text="What the customer reads when the rule hits.")


class RuleOut(serializers.Serializer[Rule]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    condition = serializers.JSONField()
    sentence = serializers.SerializerMethodField(help_text="The condition in words.")
    action = serializers.ChoiceField(choices=RuleAction.choices)
    customer_text = serializers.CharField()
    state = serializers.ChoiceField(choices=RuleState.choices)
    created_at = serializers.DateTimeField()
    live_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)

    def get_sentence(self, rule: Rule) -> str:
        try:
            node = conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
        except InvalidCondition as error:
            return error.text
        return wording.sentence(node, currency=settings.BASE_CURRENCY)


class BacktestIn(serializers.Serializer[Any]):
    from_at = serializers.DateTimeField(help_text="The first moment of the period.")
    to_at = serializers.DateTimeField(help_text="The end of the period; it is not part of it.")


class BacktestOut(serializers.Serializer[Backtest]):
    id = serializers.UUIDField()
    rule = serializers.UUIDField(source="rule_id")
    from_at = serializers.DateTimeField()
    to_at = serializers.DateTimeField()
    requested_at = serializers.DateTimeField()
    decisions_total = serializers.IntegerField()
    decisions_done = serializers.IntegerField()
    percent = serializers.SerializerMethodField(help_text="How far it is, 0 to 100.")
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why it could not be tried, or empty.")
    result = serializers.SerializerMethodField(help_text="Null until it is finished, and with an error.")

    def get_percent(self, asked: Backtest) -> int:
        if asked.finished_at is not None:
            return 100
        return 100 * asked.decisions_done // asked.decisions_total if asked.decisions_total else 0

    def get_result(self, asked: Backtest) -> dict[str, Any] | None:
        return asked.result if asked.finished_at is not None and not asked.error else None


class PlainText(serializers.CharField):
    """A name of the gateway's own: printable, without spaces at the ends."""

    def to_internal_value(self, data: Any) -> str:
        text = str(super().to_internal_value(data))
        if not text.isprintable():
            raise serializers.ValidationError("Send printable text.", code="invalid")
        return text


class CountryField(serializers.RegexField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\A[A-Z]{2}\Z", required=False, default="", help_text="ISO 3166 alpha-2.", **kwargs)


class TransactionIn(Shape[Any]):
    transaction_id = PlainText(max_length=64, help_text="Your id of it. Sent again, it gets the same answer.")
    customer_id = PlainText(max_length=64, help_text="Your id of the customer or card.")
    account_id = PlainText(max_length=64, required=False, default="", help_text="Where a customer has several.")
    beneficiary_id = PlainText(max_length=40, help_text="Your id of payee, merchant or terminal.")
    beneficiary_name = PlainText(max_length=70, required=False, default="", help_text="Shown to analysts.")
    amount = MoneyTextField()
    currency = serializers.CharField(max_length=3, help_text="ISO 4217.")
    at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="When it was asked for; now unless told."
    )
    transfer_type = serializers.ChoiceField(
        choices=[kind.value for kind in TransferType], required=False, default="CARD"
    )
    ip = serializers.IPAddressField(required=False, allow_null=True, default=None)
    country = CountryField()
    home_country = CountryField()
    device = PlainText(max_length=120, required=False, default="", help_text="Your id of the device.")


class ReasonOut(Shape[Any]):
    code = serializers.CharField(help_text="The rule's, or MODEL_ and the layer's name.")
    text = serializers.CharField(help_text="Fit for the customer.")
    detail = serializers.CharField(help_text="For analysts: the condition, and the values that weighed most.")


class CheckOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class TransactionOut(Shape[Decision]):
    """A decision and how the transaction stands now."""

    id = serializers.UUIDField(source="subject_id")
    kind = serializers.CharField(source="subject_kind", help_text="payment (of this bank) or gateway")
    transaction_id = serializers.SerializerMethodField(help_text="The gateway's own id, or the payment's.")
    status = serializers.SerializerMethodField(help_text="APPROVED: carry it out. PENDING: a person decides. REJECTED.")
    decision_id = serializers.UUIDField(source="pk")
    case_id = serializers.UUIDField(allow_null=True)
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome], help_text="Of the scoring.")
    score = serializers.FloatField(help_text="0.0 to 1.0")
    level = serializers.SerializerMethodField(help_text="SAFE below 0.5, SUSPICIOUS below 0.8, else CRITICAL.")
    risk_level = serializers.SerializerMethodField(help_text="The level as LOW, MEDIUM or HIGH.")
    confidence = serializers.CharField(help_text="HIGH: all of several layers agree, MEDIUM: two or more, LOW: one.")
    agreement_percent = serializers.IntegerField(allow_null=True)
    layers = serializers.DictField(child=serializers.FloatField(), help_text="What each layer said, 0.0 to 1.0.")
    primary_method = serializers.CharField(help_text="The layer that decided.")
    reasons = ReasonOut(many=True)
    amount = serializers.SerializerMethodField()
    currency = serializers.CharField()
    at = serializers.DateTimeField()
    transfer_type = serializers.CharField()
    channel = serializers.CharField()
    decided_at = serializers.DateTimeField(source="case_decided_at", allow_null=True, help_text="By a person.")
    checklist = serializers.SerializerMethodField(help_text="To be looked at before a person decides.")

    @extend_schema_field(CheckOut(many=True))
    def get_checklist(self, decision: Any) -> list[dict[str, str]]:
        if decision.case_status != CaseStatus.OPEN:
            return []
        items = subjects.checklist(decision.subject_kind, decision.case_outcome)
        return [{"code": item.code, "text": item.text} for item in items]

    def get_transaction_id(self, decision: Any) -> str:
        return decision.reference or str(decision.subject_id)

    def get_status(self, decision: Any) -> str:
        return standing(outcome=decision.case_outcome or decision.outcome, case_status=decision.case_status)

    def get_level(self, decision: Decision) -> str:
        return risk_level(decision.score).value

    def get_risk_level(self, decision: Decision) -> str:
        return RISK_WORDS[risk_level(decision.score)]

    def get_amount(self, decision: Decision) -> str:
        return Money(decision.amount_minor, decision.currency).plain


class ScoreBatchIn(serializers.Serializer[Any]):
    transactions = TransactionIn(
        many=True, help_text=f"{MOST_IN_A_BATCH:,} at most, in the order in which they were asked for."
    )


class RowFaultOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="As in a problem document.")
    detail = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField(), help_text="The fields at fault.")  # type: ignore[assignment]


class ScoreBatchRowOut(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The transaction's place in the request, from 0.")
    transaction = TransactionOut(allow_null=True)
    error = RowFaultOut(allow_null=True)


class ScoreBatchOut(serializers.Serializer[Any]):
    scored = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = ScoreBatchRowOut(many=True)


class DistributionOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    levels = serializers.DictField(child=serializers.IntegerField())
    tenths = serializers.ListField(child=serializers.IntegerField(), help_text="Scores from 0.0, 0.1, … 0.9.")


class RiskScoresOut(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    summary = DistributionOut(allow_null=True, help_text="Of all that the filters leave; on the first page.")
    results = TransactionOut(many=True)
