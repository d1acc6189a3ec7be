"""The filters of decisions."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from fraud.models import Decision
from fraud.rules.facts import CRITICAL_FROM, SUSPICIOUS_FROM, Channel, Outcome, RiskLevel, TransferType
from fraud.rules.learning.layers import LayerName

_LEVELS = {
    RiskLevel.SAFE.value: Q(score__lt=SUSPICIOUS_FROM),
    RiskLevel.SUSPICIOUS.value: Q(score__gte=SUSPICIOUS_FROM, score__lt=CRITICAL_FROM),
    RiskLevel.CRITICAL.value: Q(score__gte=CRITICAL_FROM),
}


def _choices(values: type[Outcome] | type[TransferType] | type[Channel] | type[LayerName]) -> list[tuple[str, str]]:
    return [(value.value, value.value) for value in values]


class DecisionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Over decisions; `since` and `until` are moments, the second not included."""

    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")
    outcome = django_filters.ChoiceFilter(choices=_choices(Outcome))
    level = django_filters.ChoiceFilter(choices=[(level, level) for level in _LEVELS], method="of_level")
    score_from = django_filters.NumberFilter(field_name="score", lookup_expr="gte", min_value=0, max_value=1)
    score_to = django_filters.NumberFilter(field_name="score", lookup_expr="lte", min_value=0, max_value=1)
    transfer_type = django_filters.ChoiceFilter(choices=_choices(TransferType))
    channel = django_filters.ChoiceFilter(choices=_choices(Channel))
    currency = django_filters.CharFilter(max_length=3)
    primary_method = django_filters.ChoiceFilter(choices=_choices(LayerName))

    class Meta:
        model = Decision
        fields: list[str] = []

    def of_level(self, rows: QuerySet[Decision], name: str, value: str) -> QuerySet[Decision]:
        return rows.filter(_LEVELS[value])
