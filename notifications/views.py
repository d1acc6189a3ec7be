"""Messages of a customer, and the mailbox of a sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages as flash
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from common.errors import NotFound
from identity.access import portal_view
from notifications import queries, services
from notifications.forms import MailboxFilter

PER_PAGE = 20
# A mail is somebody else's HTML: it may show itself and nothing else.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def _list_context(request: HttpRequest) -> dict[str, Any]:
    page = Paginator(queries.messages_for(actor=request.user), PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"message": message, "icon": queries.icon_of(message)} for message in page]
    return {
        "nav_active": "notifications",
        "page_obj": page,
        "rows": rows,
        "unread": queries.unread_count(actor=request.user),
    }


@require_safe
@portal_view
def message_list(request: HttpRequest) -> HttpResponse:
    name = "notifications/_list.html" if request.htmx else "notifications/list.html"  # type: ignore[attr-defined]
    return render(request, name, _list_context(request))


@require_POST
@portal_view
def read_one(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    """Mark as read; then show what the message is about, or the list again."""
    try:
        message = services.mark_read(actor=request.user, message_id=message_id, now=timezone.now())
    except NotFound as error:
        raise Http404 from error
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "notifications/_list.html", _list_context(request))
    return redirect(message.url if message.url and "open" in request.POST else "notifications:list")


@require_POST
@portal_view
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_all_read(actor=request.user, now=timezone.now())
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "notifications/_list.html", _list_context(request))
    flash.success(request, "All messages are marked as read.")
    return redirect("notifications:list")


# --- The mailbox of a sandbox: open to everybody by design, because nothing is real and no mail leaves -----------


def _only_in_a_sandbox() -> None:
    if not settings.SANDBOX:
        raise Http404


@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    _only_in_a_sandbox()
    form = MailboxFilter(request.GET or None)
    recipient = form.cleaned_data["to"] if form.is_bound and form.is_valid() else ""
    page = Paginator(queries.mailbox(recipient=recipient), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "notifications/mailbox.html", {"page_obj": page, "form": form, "recipient": recipient})


@require_GET
def mailbox_message(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    _only_in_a_sandbox()
    crumbs = [{"label": "Mailbox", "url": reverse("notifications:mailbox")}, {"label": "Message"}]
    return render(request, "notifications/mailbox_message.html", {"mail": _mail(message_id), "crumbs": crumbs})


@require_GET
def mailbox_html(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    """The mail as its recipient would see it, on a page that can neither run nor load anything."""
    _only_in_a_sandbox()
    mail = _mail(message_id)
    if not mail.html:
        raise Http404
    response = HttpResponse(mail.html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _mail(message_id: uuid.UUID) -> Any:
    try:
        return queries.mailbox_message(message_id=message_id)
    except NotFound as error:
        raise Http404 from error
