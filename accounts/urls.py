from __future__ import annotations

from django.urls import path

from accounts.views import pages

app_name = "accounts"
urlpatterns = [
    path("", pages.AccountList.as_view(), name="list"),
    path("open/", pages.OpenAccount.as_view(), name="open"),
    path("open/<str:product_code>/", pages.OpenProduct.as_view(), name="open-product"),
    path("<uuid:account_id>/", pages.AccountDetail.as_view(), name="detail"),
    path("<uuid:account_id>/opened/", pages.AccountOpened.as_view(), name="opened"),
    path("<uuid:account_id>/name/", pages.RenameAccount.as_view(), name="rename"),
    path("<uuid:account_id>/statement/", pages.StatementPage.as_view(), name="statement"),
    path("<uuid:account_id>/statement.csv", pages.StatementCsv.as_view(), name="statement-csv"),
    path("<uuid:account_id>/close/", pages.CloseAccount.as_view(), name="close"),
]
