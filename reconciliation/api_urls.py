from __future__ import annotations

from django.urls import path

from reconciliation import api

urlpatterns = [
    path("reconciliation/statements/", api.Statements.as_view(), name="api-reconciliation-statements"),
    path("reconciliation/lines/", api.Lines.as_view(), name="api-reconciliation-lines"),
    path("reconciliation/rules", api.TryRules.as_view(), name="api-reconciliation-rules"),
    path("reconciliation/matches/", api.Matches.as_view(), name="api-reconciliation-matches"),
    path("reconciliation/matches/<uuid:match_id>/undo", api.UndoMatch.as_view(), name="api-reconciliation-undo"),
]
