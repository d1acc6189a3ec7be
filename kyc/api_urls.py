from __future__ import annotations

from django.urls import path

from kyc import api

urlpatterns = [
    path("applications", api.Applications.as_view(), name="api-kyc-applications"),
    path("applications/<uuid:application_id>", api.ApplicationDetail.as_view(), name="api-kyc-application"),
    path(
        "applications/<uuid:application_id>/documents",
        api.ApplicationDocuments.as_view(),
        name="api-kyc-application-documents",
    ),
    path(
        "applications/<uuid:application_id>/submit", api.ApplicationSubmit.as_view(), name="api-kyc-application-submit"
    ),
    path("documents/<uuid:document_id>", api.DocumentDetail.as_view(), name="api-kyc-document"),
]
