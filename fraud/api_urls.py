from __future__ import annotations

from django.urls import path

from fraud.api import analytics, engine, rules, scoring, transactions

urlpatterns = [
    path("fraud/analyze", scoring.Analyze.as_view(), name="api-fraud-analyze"),
    path("fraud/score/batch", scoring.ScoreBatch.as_view(), name="api-fraud-score-batch"),
    path("fraud/transactions/pending", transactions.Pending.as_view(), name="api-fraud-pending"),
    path(
        "fraud/transactions/<uuid:transaction_id>",
        transactions.TransactionEntry.as_view(),
        name="api-fraud-transaction",
    ),
    path(
        "fraud/transactions/<uuid:transaction_id>/approve",
        transactions.Approve.as_view(),
        name="api-fraud-transaction-approve",
    ),
    path(
        "fraud/transactions/<uuid:transaction_id>/reject",
        transactions.Reject.as_view(),
        name="api-fraud-transaction-reject",
    ),
    path("analytics/risk-scores", analytics.RiskScores.as_view(), name="api-risk-scores"),
    path("fraud/model", engine.Model.as_view(), name="api-fraud-model"),
    path("fraud/features", engine.Features.as_view(), name="api-fraud-features"),
    path("fraud/features/<str:name>/enable", engine.EnableFeature.as_view(), name="api-fraud-feature-enable"),
    path("fraud/features/<str:name>/disable", engine.DisableFeature.as_view(), name="api-fraud-feature-disable"),
    path("fraud/rules", rules.Rules.as_view(), name="api-fraud-rules"),
    path("fraud/rules/<uuid:rule_id>", rules.RuleEntry.as_view(), name="api-fraud-rule"),
    path("fraud/rules/<uuid:rule_id>/backtests", rules.Backtests.as_view(), name="api-fraud-backtests"),
    path(
        "fraud/rules/<uuid:rule_id>/backtests/<uuid:backtest_id>",
        rules.BacktestEntry.as_view(),
        name="api-fraud-backtest",
    ),
]
