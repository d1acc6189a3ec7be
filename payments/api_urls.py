from __future__ import annotations

from django.urls import path

from payments import api

urlpatterns = [
    path("deposit", api.Deposit.as_view(), name="api-transactions-deposit"),
    path("withdraw", api.Withdraw.as_view(), name="api-transactions-withdraw"),
    path("transfer", api.Transfer.as_view(), name="api-transactions-transfer"),
    path("history", api.History.as_view(), name="api-transactions-history"),
    path("history/<uuid:payment_id>", api.HistoryEntry.as_view(), name="api-transactions-entry"),
]
