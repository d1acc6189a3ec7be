from __future__ import annotations

from django.urls import path

from accounts.rules.statements.formats import Format
from accounts.views import lifecycle, pages, statements

app_name = "accounts"
urlpatterns = [
    path("", pages.AccountList.as_view(), name="list"),
    path("open/", pages.OpenAccount.as_view(), name="open"),
    path("open/<slug:product_code>/", pages.OpenProduct.as_view(), name="open-product"),
    path("<uuid:account_id>/", pages.AccountDetail.as_view(), name="detail"),
    path("<uuid:account_id>/opened/", pages.AccountOpened.as_view(), name="opened"),
    path("<uuid:account_id>/name/", pages.RenameAccount.as_view(), name="rename"),
    path("<uuid:account_id>/statement/", statements.StatementPage.as_view(), name="statement"),
    path("<uuid:account_id>/statement.pdf", statements.StatementFile.as_view(form=Format.PDF), name="statement-pdf"),
    path("<uuid:account_id>/statement.csv", statements.StatementFile.as_view(form=Format.CSV), name="statement-csv"),
    path("<uuid:account_id>/statement.ofx", statements.StatementFile.as_view(form=Format.OFX), name="statement-ofx"),
    path(
        "<uuid:account_id>/statement.xml", statements.StatementFile.as_view(form=Format.CAMT053), name="statement-xml"
    ),
    path("<uuid:account_id>/statements/", statements.MonthlyList.as_view(), name="statements"),
    path("<uuid:account_id>/statements/<str:month>/", statements.MonthlyFile.as_view(), name="statement-month"),
    path("<uuid:account_id>/reactivate/", lifecycle.ReactivateAccount.as_view(), name="reactivate"),
    path("<uuid:account_id>/close/", lifecycle.CloseAccount.as_view(), name="close"),
]
