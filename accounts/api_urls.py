from __future__ import annotations

from django.urls import path

from accounts.api import accounts as api

urlpatterns = [
    path("accounts/", api.Accounts.as_view(), name="api-accounts"),
    path("accounts/<uuid:account_id>/", api.AccountDetail.as_view(), name="api-account"),
    path("accounts/<uuid:account_id>/balance", api.AccountBalance.as_view(), name="api-account-balance"),
    path("accounts/<uuid:account_id>/statement", api.AccountStatement.as_view(), name="api-account-statement"),
    path("products/", api.Products.as_view(), name="api-products"),
]
