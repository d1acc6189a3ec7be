from __future__ import annotations

from django.urls import path

from accounts.api import accounts as api
from accounts.api import lifecycle, statements

urlpatterns = [
    path("accounts/", api.Accounts.as_view(), name="api-accounts"),
    path("accounts/<uuid:account_id>/", api.AccountDetail.as_view(), name="api-account"),
    path("accounts/<uuid:account_id>/balance", api.AccountBalance.as_view(), name="api-account-balance"),
    path("accounts/<uuid:account_id>/reactivate", lifecycle.Reactivate.as_view(), name="api-account-reactivate"),
    path("accounts/<uuid:account_id>/closing", lifecycle.Closing.as_view(), name="api-account-closing"),
    path("accounts/<uuid:account_id>/close", lifecycle.Close.as_view(), name="api-account-close"),
    path("accounts/<uuid:account_id>/statement", statements.AccountStatement.as_view(), name="api-account-statement"),
    path("accounts/<uuid:account_id>/statements/", statements.Issued.as_view(), name="api-account-statements"),
    path(
        "accounts/<uuid:account_id>/statements/<str:month>",
        statements.IssuedFile.as_view(),
        name="api-account-statement-file",
    ),
    path("products/", api.Products.as_view(), name="api-products"),
]
