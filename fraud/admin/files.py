"""What the pages of the fraud desk share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from identity.backoffice import ReadOnlyAdmin

STATUS_COLOURS = {
    "Open": "warning",
    "Released": "success",
    "Declined": "danger",
    "Live": "success",
    "Draft": "info",
    "Waiting for approval": "warning",
}
OUTCOME_COLOURS = {
    "Held": "warning",
    "Refused": "danger",
    "Approved": "success",
    "Flagged": "warning",
    "Blocked": "danger",
}


class FileAdmin(ReadOnlyAdmin):
    """A list whose entries open a page of our own instead of a form."""

    view_permission = "fraud_view"

    def _opened(self, request: HttpRequest, object_id: Any) -> Any:
        """The object, for somebody who may see it; raises PermissionDenied and Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(object_id))
        if found is None:
            raise Http404
        return found

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        return TemplateResponse(request, template, whole)

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def _path(self, route: str, view: Callable[..., HttpResponse], name: str) -> Any:
        return path(
            route, self.admin_site.admin_view(view), name=f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        )
