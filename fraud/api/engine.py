"""The model in charge and the features, and the switches of the latter."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import ProblemSerializer
from fraud import services
from fraud.api.base import CONFIGURE, PROBLEMS, READ_PROBLEMS, TAGS, FraudView, caller
from fraud.queries import configuration
from fraud.rules.features import SCHEMA_HASH
from fraud.serializers import FeatureOut, ModelOut, ReasonIn

_FEATURE: dict[str, Any] = {
    "name": "txn_count_10min",
    "label": "Transfers in 10 minutes",
    "group": "model",
    "unit": "transfers",
    "window": "10 minutes",
    "description": "Transfers asked for, whatever became of them.",
    "enabled": True,
}
_MODEL = OpenApiExample(
    "A champion",
    response_only=True,
    value={
        "number": 4,
        "promoted_at": "2026-11-20T09:12:00Z",
        "window": ["2026-08-20T00:00:00Z", "2026-11-18T00:00:00Z"],
        "label_cut_off": "2026-11-18T00:00:00Z",
        "rows": 184210,
        "metrics": {"average_precision": 0.71, "recalls": {"0.05": 0.92}},
        "libraries": {"numpy": "2.4.6", "xgboost-cpu": "3.2.0"},
        "layers": [{"name": "supervised", "enabled": True}, {"name": "isolation_forest", "enabled": True}],
        "thresholds": {"flag_at": 0.5, "block_at": 0.8},
        "schema_hash": SCHEMA_HASH,
        "live_rules": ["LARGE_AWAY_FROM_HOME", "LARGE_TO_NEW_PAYEE", "VELOCITY"],
    },
)


class Model(FraudView):
    @extend_schema(
        operation_id="fraud_model",
        summary="What decides now: model, layers, thresholds and live rules",
        tags=TAGS,
        responses={200: ModelOut, **READ_PROBLEMS},
        examples=[_MODEL],
    )
    def get(self, request: Request) -> Response:
        return Response(ModelOut(configuration.model_in_charge()).data)


class Features(FraudView):
    @extend_schema(
        operation_id="fraud_features_list",
        summary="List the features of a decision and whether each is on",
        tags=TAGS,
        responses={200: FeatureOut(many=True), **READ_PROBLEMS},
        examples=[OpenApiExample("One of them", response_only=True, value=_FEATURE)],
    )
    def get(self, request: Request) -> Response:
        return Response(FeatureOut(configuration.feature_states(), many=True).data)


class _Switch(FraudView):
    key_scope = CONFIGURE
    write_permission = "fraud_switch"
    enabled: ClassVar[bool]

    def answer(self, request: Request, name: str) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, name, body.validated_data["reason"])

    @idempotent
    def once(self, request: Request, name: str, reason: str) -> Response:
        services.switch_feature(
            actor=caller(request), name=name, enabled=self.enabled, reason=reason, now=timezone.now()
        )
        return Response(
            FeatureOut(next(each for each in configuration.feature_states() if each.feature.name == name)).data
        )


_SWITCH_PROBLEMS = {
    **PROBLEMS,
    404: OpenApiResponse(ProblemSerializer, description="`unknown_feature`"),
}
_WHY = OpenApiExample("Why", request_only=True, value={"reason": "The address provider sends wrong countries today."})


class EnableFeature(_Switch):
    enabled = True

    @extend_schema(
        operation_id="fraud_features_enable",
        summary="Switch a feature on",
        description="From the next decision on. Needs the scope `fraud:configure`; kept in the audit trail.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=ReasonIn,
        responses={200: FeatureOut, **_SWITCH_PROBLEMS},
        examples=[_WHY, OpenApiExample("On", response_only=True, value=_FEATURE)],
    )
    def post(self, request: Request, name: str) -> HttpResponseBase:
        return self.answer(request, name)


class DisableFeature(_Switch):
    enabled = False

    @extend_schema(
        operation_id="fraud_features_disable",
        summary="Switch a feature off",
        description="It is then unknown to every rule and layer, from the next decision on. Needs the scope "
        "`fraud:configure`; kept in the audit trail.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=ReasonIn,
        responses={200: FeatureOut, **_SWITCH_PROBLEMS},
        examples=[_WHY, OpenApiExample("Off", response_only=True, value=_FEATURE | {"enabled": False})],
    )
    def post(self, request: Request, name: str) -> HttpResponseBase:
        return self.answer(request, name)
