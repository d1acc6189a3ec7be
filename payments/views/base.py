"""What the pages of the payments section share."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views import View

from identity.access import PortalMixin
from identity.models import User


class PaymentPage(PortalMixin, View):
    """A page of the payments section."""

    nav_active = "transfer"

    @property
    def actor(self) -> User:
        """The customer; `PortalMixin` lets nobody else in."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def page(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(self.request, f"payments/{template}.html", self.get_context_data(**context), status=status)
