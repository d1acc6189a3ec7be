from __future__ import annotations

from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("transfer/", views.TransferPage.as_view(), name="transfer"),
    path("transfer/own/", views.OwnTransferPage.as_view(), name="own"),
    path("transfer/review/<uuid:review_id>/", views.ReviewPage.as_view(), name="review"),
    path("withdraw/", views.WithdrawPage.as_view(), name="withdraw"),
    path("deposit/", views.DepositPage.as_view(), name="deposit"),
    path("activity/", views.HistoryPage.as_view(), name="history"),
    path("activity/<uuid:payment_id>/", views.ReceiptPage.as_view(), name="receipt"),
    path("activity/<uuid:payment_id>/cancel/", views.CancelPage.as_view(), name="cancel"),
]
