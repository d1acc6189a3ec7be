from __future__ import annotations

from django.urls import include, path

from accounts.api import accounts as api
from accounts.api import lifecycle, statements

ACCOUNTS = [
    path("", api.Accounts.as_view(), name="api-accounts"),
    path("<uuid:account_id>/", api.AccountDetail.as_view(), name="api-account"),
    path("<uuid:account_id>/balance", api.AccountBalance.as_view(), name="api-account-balance"),
    path("<uuid:account_id>/reactivate", lifecycle.Reactivate.as_view(), name="api-account-reactivate"),
    path("<uuid:account_id>/closing", lifecycle.Closing.as_view(), name="api-account-closing"),
    path("<uuid:account_id>/close", lifecycle.Close.as_view(), name="api-account-close"),
    path("<uuid:account_id>/statement", statements.AccountStatement.as_view(), name="api-account-statement"),
    path("<uuid:account_id>/statements/", statements.Issued.as_view(), name="api-account-statements"),
    path(
        "<uuid:account_id>/statements/<str:month>",
        statements.IssuedFile.as_view(),
        name="api-account-statement-file",
    ),
]
urlpatterns = [
    path("accounts/", include(ACCOUNTS)),
    path("products/", api.Products.as_view(), name="api-products"),
]
