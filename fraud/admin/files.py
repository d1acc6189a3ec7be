"""What the pages of the fraud desk share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fraud.models import Decision
from fraud.rules.features import FEATURES
from identity.backoffice import ReadOnlyAdmin

STATUS_COLOURS = {
    "Open": "warning",
    "Released": "success",
    "Declined": "danger",
    "Live": "success",
    "Draft": "info",
    "Tried on the past": "info",
    "In shadow": "warning",
}
# Reasons that are not rules.
BUILT_IN = {
    "NOT_SCREENED": "The checks did not answer",
    "UNKNOWN_AMOUNT": "No exchange rate",
    "BLOCK_LIST": "On the block list",
}
OUTCOME_COLOURS = {
    "Held": "warning",
    "Refused": "danger",
    "Sample": "info",
    "Approved": "success",
    "Flagged": "warning",
    "Blocked": "danger",
}


KINDS = FEATURES["transfer_type"].choices
CHANNELS = FEATURES["channel"].choices


def choice(names: Mapping[str, str], code: str) -> str:
    """A stored code in words."""
    name = names.get(code, code)
    return name[:1].upper() + name[1:]


def payee_cell(decision: Decision) -> SafeString:
    """The payee's name above the number, as far as both are known."""
    return side_cell(decision.beneficiary_label, otherwise=decision.beneficiary_ref)


def side_cell(label: str, *, otherwise: str = "") -> SafeString:
    """One side of a payment, told as “name, number”: the name above the number."""
    name, _, number = label.rpartition(", ")
    if not name:
        return format_html("{}", label or otherwise or "–")
    return format_html('<span>{}<br><span class="office-quiet number">{}</span></span>', name, number)


class _WordsFilter(admin.SimpleListFilter):
    """Filters a stored code by its words."""

    names: Mapping[str, str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(code), choice(self.names, code)) for code in self.names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() in self.names else queryset


class TransferTypeFilter(_WordsFilter):
    title = "kind of payment"
    parameter_name = "transfer_type"
    names = KINDS


class ChannelFilter(_WordsFilter):
    title = "asked for through"
    parameter_name = "channel"
    names = CHANNELS


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

    def _page(
        self, request: HttpRequest, template: str, title: str, *, original: Any = None, **context: Any
    ) -> TemplateResponse:
        """`original` is what the page is about: the breadcrumb ends with it."""
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "original": original,
            **context,
        }
        return TemplateResponse(request, template, whole)

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def _path(self, route: str, view: Callable[..., HttpResponse], name: str) -> Any:
        return path(
            route, self.admin_site.admin_view(view), name=f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        )
