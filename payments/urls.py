from __future__ import annotations

from django.urls import path

from payments.views import activity, paying

app_name = "payments"
urlpatterns = [
    path("transfer/", paying.TransferPage.as_view(), name="transfer"),
    path("transfer/own/", paying.OwnTransferPage.as_view(), name="own"),
    path("transfer/review/<uuid:review_id>/", paying.ReviewPage.as_view(), name="review"),
    path("withdraw/", paying.WithdrawPage.as_view(), name="withdraw"),
    path("deposit/", paying.DepositPage.as_view(), name="deposit"),
    path("activity/", activity.HistoryPage.as_view(), name="history"),
    path("activity/<uuid:payment_id>/", activity.ReceiptPage.as_view(), name="receipt"),
    path("activity/<uuid:payment_id>/cancel/", activity.CancelPage.as_view(), name="cancel"),
]
