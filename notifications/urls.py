from __future__ import annotations

from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [
    path("", views.message_list, name="list"),
    path("read/", views.read_all, name="read_all"),
    path("<uuid:message_id>/read/", views.read_one, name="read"),
    path("mailbox/", views.mailbox, name="mailbox"),
    path("mailbox/<uuid:message_id>/", views.mailbox_message, name="mailbox_message"),
    path("mailbox/<uuid:message_id>/html/", views.mailbox_html, name="mailbox_html"),
]
