from __future__ import annotations

from django.urls import path

from payments.api import limits, payees, transactions

urlpatterns = [
    path("transactions/deposit", transactions.Deposit.as_view(), name="api-transactions-deposit"),
    path("transactions/withdraw", transactions.Withdraw.as_view(), name="api-transactions-withdraw"),
    path("transactions/transfer", transactions.Transfer.as_view(), name="api-transactions-transfer"),
    path("transactions/history", transactions.History.as_view(), name="api-transactions-history"),
    path("transactions/history/<uuid:payment_id>", transactions.HistoryEntry.as_view(), name="api-transactions-entry"),
    path("payees/", payees.Payees.as_view(), name="api-payees"),
    path("payees/<uuid:payee_id>/", payees.PayeeEntry.as_view(), name="api-payee"),
    path("limits/", limits.OwnLimits.as_view(), name="api-limits"),
    path("limits/<str:channel>/", limits.OwnChannelLimits.as_view(), name="api-limits-channel"),
]
