from __future__ import annotations

from django.urls import path

from payments.api import batches, bulk, holds, limits, payees, reversals, standing_orders, transactions

urlpatterns = [
    path("transactions/transfer", transactions.Transfer.as_view(), name="api-transactions-transfer"),
    path("transactions/deposit", transactions.Deposit.as_view(), name="api-transactions-deposit"),
    path("transactions/withdraw", transactions.Withdraw.as_view(), name="api-transactions-withdraw"),
    path("transactions/history", transactions.History.as_view(), name="api-transactions-history"),
    path("transactions/history/<uuid:payment_id>", transactions.HistoryEntry.as_view(), name="api-transactions-entry"),
    path("transactions/batch", batches.Batch.as_view(), name="api-transactions-batch"),
    path(
        "transactions/history/<uuid:payment_id>/reverse", reversals.Reverse.as_view(), name="api-transactions-reverse"
    ),
    path("holds/", holds.Holds.as_view(), name="api-holds"),
    path("holds/<uuid:hold_id>/", holds.HoldEntry.as_view(), name="api-hold"),
    path("holds/<uuid:hold_id>/post", holds.PostHold.as_view(), name="api-hold-post"),
    path("holds/<uuid:hold_id>/void", holds.VoidHold.as_view(), name="api-hold-void"),
    path("bulk-files/", bulk.BulkFiles.as_view(), name="api-bulk-files"),
    path("bulk-files/<uuid:bulk_id>/", bulk.BulkFileEntry.as_view(), name="api-bulk-file"),
    path("bulk-files/<uuid:bulk_id>/rows", bulk.BulkRows.as_view(), name="api-bulk-rows"),
    path("bulk-files/<uuid:bulk_id>/confirm", bulk.ConfirmBulkFile.as_view(), name="api-bulk-confirm"),
    path("bulk-files/<uuid:bulk_id>/cancel", bulk.CancelBulkFile.as_view(), name="api-bulk-cancel"),
    path("bulk-files/<uuid:bulk_id>/result", bulk.BulkResult.as_view(), name="api-bulk-result"),
    path("standing-orders/", standing_orders.StandingOrders.as_view(), name="api-standing-orders"),
    path("standing-orders/<uuid:order_id>/", standing_orders.StandingOrderEntry.as_view(), name="api-standing-order"),
    path("standing-orders/<uuid:order_id>/skip", standing_orders.Skip.as_view(), name="api-standing-order-skip"),
    path("standing-orders/<uuid:order_id>/pause", standing_orders.Pause.as_view(), name="api-standing-order-pause"),
    path("standing-orders/<uuid:order_id>/resume", standing_orders.Resume.as_view(), name="api-standing-order-resume"),
    path("standing-orders/<uuid:order_id>/cancel", standing_orders.Cancel.as_view(), name="api-standing-order-cancel"),
    path("payees/", payees.Payees.as_view(), name="api-payees"),
    path("payees/<uuid:payee_id>/", payees.PayeeEntry.as_view(), name="api-payee"),
    path("limits/", limits.OwnLimits.as_view(), name="api-limits"),
    path("limits/<str:channel>/", limits.OwnChannelLimits.as_view(), name="api-limits-channel"),
]
