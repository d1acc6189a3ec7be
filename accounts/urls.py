from __future__ import annotations

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.AccountList.as_view(), name="list"),
    path("open/", views.OpenAccount.as_view(), name="open"),
    path("open/<str:product_code>/", views.OpenProduct.as_view(), name="open-product"),
    path("<uuid:account_id>/", views.AccountDetail.as_view(), name="detail"),
    path("<uuid:account_id>/opened/", views.AccountOpened.as_view(), name="opened"),
    path("<uuid:account_id>/name/", views.RenameAccount.as_view(), name="rename"),
    path("<uuid:account_id>/statement/", views.StatementPage.as_view(), name="statement"),
    path("<uuid:account_id>/statement.csv", views.StatementCsv.as_view(), name="statement-csv"),
    path("<uuid:account_id>/close/", views.CloseAccount.as_view(), name="close"),
]
