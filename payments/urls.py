from __future__ import annotations

from django.urls import path

from payments import services
from payments.views import activity, bulk, limits, payees, paying, standing_orders

app_name = "payments"
urlpatterns = [
    path("transfer/", paying.TransferPage.as_view(), name="transfer"),
    path("transfer/own/", paying.OwnTransferPage.as_view(), name="own"),
    path("transfer/review/<uuid:review_id>/", paying.ReviewPage.as_view(), name="review"),
    path("withdraw/", paying.WithdrawPage.as_view(), name="withdraw"),
    path("deposit/", paying.DepositPage.as_view(), name="deposit"),
    path("payees/", payees.PayeesPage.as_view(), name="payees"),
    path("payees/add/", payees.AddPayeePage.as_view(), name="payee_add"),
    path("payees/<uuid:payee_id>/remove/", payees.RemovePayeePage.as_view(), name="payee_remove"),
    path("standing-orders/", standing_orders.StandingOrdersPage.as_view(), name="standing_orders"),
    path("standing-orders/new/", standing_orders.NewStandingOrderPage.as_view(), name="standing_order_new"),
    path("standing-orders/<uuid:order_id>/", standing_orders.StandingOrderPage.as_view(), name="standing_order"),
    *(
        path(
            f"standing-orders/<uuid:order_id>/{name}/",
            standing_orders.ChangeStandingOrder.as_view(change=change, done=done),
            name=f"standing_order_{name}",
        )
        for name, change, done in (
            ("skip", services.skip_next_run, "That day is left out."),
            ("pause", services.pause_standing_order, "It is paused. Nothing is paid until you resume it."),
            ("resume", services.resume_standing_order, "It goes on."),
            ("cancel", services.cancel_standing_order, "It is cancelled."),
        )
    ),
    path("bulk/", bulk.BulkFilesPage.as_view(), name="bulk"),
    path("bulk/new/", bulk.NewBulkFilePage.as_view(), name="bulk_new"),
    path("bulk/example.csv", bulk.BulkExample.as_view(), name="bulk_example"),
    path("bulk/<uuid:bulk_id>/", bulk.BulkFilePage.as_view(), name="bulk_file"),
    path("bulk/<uuid:bulk_id>/cancel/", bulk.CancelBulkFile.as_view(), name="bulk_cancel"),
    path("bulk/<uuid:bulk_id>/result.csv", bulk.BulkResult.as_view(), name="bulk_result"),
    path("limits/", limits.LimitsPage.as_view(), name="limits"),
    path("limits/<slug:channel>/", limits.OwnLimitsPage.as_view(), name="own_limits"),
    path("activity/", activity.HistoryPage.as_view(), name="history"),
    path("activity/<uuid:payment_id>/", activity.ReceiptPage.as_view(), name="receipt"),
    path("activity/<uuid:payment_id>/answer/", activity.AnswerPage.as_view(), name="answer"),
    path("activity/<uuid:payment_id>/cancel/", activity.CancelPage.as_view(), name="cancel"),
]
