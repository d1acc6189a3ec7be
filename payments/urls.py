from __future__ import annotations

from django.urls import path

from payments.views import activity, limits, payees, paying

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
    path("limits/", limits.LimitsPage.as_view(), name="limits"),
    path("limits/<slug:channel>/", limits.OwnLimitsPage.as_view(), name="own_limits"),
    path("activity/", activity.HistoryPage.as_view(), name="history"),
    path("activity/<uuid:payment_id>/", activity.ReceiptPage.as_view(), name="receipt"),
    path("activity/<uuid:payment_id>/cancel/", activity.CancelPage.as_view(), name="cancel"),
]
