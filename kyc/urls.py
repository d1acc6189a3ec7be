from __future__ import annotations

from django.urls import path

from kyc import views

app_name = "kyc"
urlpatterns = [
    path("", views.Start.as_view(), name="start"),
    path("personal/", views.Personal.as_view(), name="personal"),
    path("documents/", views.Documents.as_view(), name="documents"),
    path("review/", views.Review.as_view(), name="review"),
    path("status/", views.Status.as_view(), name="status"),
    path("documents/<uuid:document_id>/", views.DocumentFile.as_view(), name="document"),
    path("documents/<uuid:document_id>/thumbnail/", views.Thumbnail.as_view(), name="thumbnail"),
    path("documents/<uuid:document_id>/remove/", views.RemoveDocument.as_view(), name="remove"),
]
