"""Pages about oneself: profile, security, PIN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common import throttle
from common.errors import DomainError, NotFound
from identity import queries, services
from identity.access import portal_view
from identity.forms import PinForm, ProfileForm
from identity.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def profile(request: HttpRequest) -> HttpResponse:
    user = request.user
    form = ProfileForm(request.POST or None, initial={"full_name": user.full_name})
    if request.method == "POST" and form.is_valid():
        try:
            services.change_name(actor=user, full_name=form.cleaned_data["full_name"])
        except DomainError as error:
            form.attach(error)
        else:
            messages.success(request, "We greet you by your new name from now on.")
            return redirect("identity:profile")
    return render(request, "identity/profile.html", {"nav_active": "profile", "form": form}, status=_status(form))


@require_safe
@portal_view
def security(request: HttpRequest) -> HttpResponse:
    user = request.user
    context = {
        "nav_active": "security",
        "pin": queries.pin_state(user),
        "has_second_factor": queries.has_second_factor(user),
        "sessions": queries.open_sessions(user, current=request.session.session_key or "", now=timezone.now()),
        "sign_ins": queries.recent_sign_ins(user),
    }
    return render(request, "identity/security.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def pin(request: HttpRequest) -> HttpResponse:
    form = PinForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _set_pin(request, form):
        return redirect(_back(request))
    context: dict[str, Any] = {
        "nav_active": "security",
        "form": form,
        "pin": queries.pin_state(request.user),
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "crumbs": [{"label": "Security", "url": reverse("identity:security")}, {"label": "Transaction PIN"}],
    }
    return render(request, "identity/pin.html", context, status=_status(form))


def _set_pin(request: HttpRequest, form: PinForm) -> bool:
    try:
        throttle.enforce(throttle.PIN_CHANGES, f"user:{request.user.pk}")
        services.change_pin(
            actor=request.user,
            password=form.cleaned_data["password"],
            pin=form.cleaned_data["pin"],
            now=timezone.now(),
        )
    except DomainError as error:
        form.attach(error)
        return False
    messages.success(request, "Your transaction PIN is set.")
    return True


@require_POST
@portal_view
def end_other_sign_ins(request: HttpRequest) -> HttpResponse:
    """Everything but this browser is signed out."""
    services.end_other_sign_ins(actor=request.user, now=timezone.now())
    update_session_auth_hash(request, User.objects.get(pk=request.user.pk))
    services.keep_browser_session(request=request)
    messages.success(request, "You are signed out everywhere but here.")
    return redirect("identity:security")


@require_POST
@portal_view
def end_browser_session(request: HttpRequest, browser_id: int) -> HttpResponse:
    return _end(request, services.end_browser_session, browser_id)


@require_POST
@portal_view
def end_api_session(request: HttpRequest, api_id: UUID) -> HttpResponse:
    return _end(request, services.end_own_api_session, api_id)


def _end(request: HttpRequest, service: Callable[..., None], session_id: int | UUID) -> HttpResponse:
    """One sign-in of one's own ends; ending the one that asks leads to the log-in."""
    try:
        service(actor=request.user, session_id=session_id, now=timezone.now())
    except NotFound as error:
        raise Http404 from error
    messages.success(request, "That sign-in has ended.")
    return redirect("identity:security")


def _back(request: HttpRequest) -> str:
    """Where the PIN was asked for, when that is a page of ours."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts=None, require_https=request.is_secure())
    return target if target.startswith("/") and safe else reverse("identity:security")


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200
