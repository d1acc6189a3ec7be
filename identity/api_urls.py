from __future__ import annotations

from django.urls import path

from identity import api

urlpatterns = [
    path("auth/register", api.Register.as_view(), name="api-register"),
    path("auth/token", api.ObtainToken.as_view(), name="api-token"),
    path("auth/token/refresh", api.RefreshToken.as_view(), name="api-token-refresh"),
    path("auth/logout", api.Logout.as_view(), name="api-logout"),
    path("auth/me", api.Me.as_view(), name="api-me"),
    path("users/profile", api.Profile.as_view(), name="api-profile"),
    path("users/pin", api.Pin.as_view(), name="api-pin"),
]
