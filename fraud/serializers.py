"""The shape of the fraud API's input and output."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from fraud.errors import InvalidCondition
from fraud.models import Backtest, Rule, RuleAction, RuleState
from fraud.queries.configuration import FeatureState, ModelInCharge
from fraud.rules import conditions, wording


class ReasonIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000, help_text="Kept in the audit trail with the caller's name.")


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
