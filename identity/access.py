"""The door of the portal: only customers with a verified address come in; staff go to the back office."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views import View

from identity import queries

P = ParamSpec("P")


def turn_away(request: HttpRequest) -> HttpResponse | None:
    """Where somebody who may not use the portal goes instead; None for a customer.

    Raises PermissionDenied for a logged-in user with no role at all.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    standing = queries.portal_standing(request.user)
    if standing.is_customer and standing.is_verified:
        return None
    if standing.is_customer:
        return redirect("account_email_verification_sent")
    if request.user.is_staff:
        return redirect("admin:index")
    raise PermissionDenied


class PortalMixin(View):
    """First base of every class view of the portal. `nav_active` and `crumbs` reach the template by themselves."""

    nav_active = ""
    crumbs: list[dict[str, str]] = []

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return turn_away(request) or super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("nav_active", self.nav_active)
        kwargs.setdefault("crumbs", self.crumbs)
        above = getattr(super(), "get_context_data", None)
        return above(**kwargs) if above else kwargs


def portal_view(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The same door for a function view; it passes `nav_active` to its template itself."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return turn_away(request) or view(request, *args, **kwargs)

    return guarded
