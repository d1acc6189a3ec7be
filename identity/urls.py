from __future__ import annotations

from django.urls import path

from identity import views

app_name = "identity"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("security/", views.security, name="security"),
    path("security/pin/", views.pin, name="pin"),
    path("security/sessions/browser/<int:browser_id>/end/", views.end_browser_session, name="end_browser_session"),
    path("security/sessions/api/<uuid:api_id>/end/", views.end_api_session, name="end_api_session"),
    path("security/sign-out-elsewhere/", views.end_other_sign_ins, name="end_other_sign_ins"),
]
