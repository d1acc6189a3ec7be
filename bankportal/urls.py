"""Every address of the bank: portal pages, the API and the back office."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from bankportal import health, views

# The busiest first: addresses are tried in their order.
API = [
    path("", include("accounts.api_urls")),
    path("", include("payments.api_urls")),
    path("", include("fraud.api_urls")),
    path("", include("identity.api_urls")),
    path("kyc/", include("kyc.api_urls")),
    path("", include("loans.api_urls")),
    path("", include("reconciliation.api_urls")),
]

# Those of programs stand before those of people.
urlpatterns = [
    path("api/v1/", include(API)),
    path("", views.landing, name="landing"),
    path("overview/", include("insights.urls")),
    path("accounts/", include("accounts.urls")),
    path("", include("payments.urls")),
    path("", include("loans.urls")),
    path("kyc/", include("kyc.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("identity.urls")),
    # Ours shows sessions of the API beside those of browsers, and leaves a trace when one is ended.
    path("auth/sessions/", require_safe(RedirectView.as_view(pattern_name="identity:security"))),
    path("auth/", include("allauth.urls")),
    # Nothing here has a page "on the site"; Django's own view answers 500 to an id that is none.
    path("admin/r/<path:content_type_id>/<path:object_id>/", views.no_page),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    # These pages would answer other methods by rendering their template without its values, a 500.
    path("api/docs/", require_safe(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"),
    path("api/redoc/", require_safe(SpectacularRedocView.as_view(url_name="api-schema")), name="api-redoc"),
    # Browsers ask here when a page, such as an answer of the API, names no icon.
    path("favicon.ico", views.favicon),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("health", health.health, name="health"),
]

handler400 = "bankportal.views.bad_request"
handler403 = "bankportal.views.forbidden"
handler404 = "bankportal.views.not_found"
handler500 = "bankportal.views.server_error"
