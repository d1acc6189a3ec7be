"""How allauth fits this bank: its flows end in our services, its links carry our address."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string

from common import throttle
from common.errors import TooMany
from common.middleware import client_ip
from identity import events, services
from identity.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Every door of the browser: sign-up, log-in, reset, change."""

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Store a new customer with name and role in one transaction."""
        super().save_user(request, user, form, commit=False)
        user.full_name = form.cleaned_data.get("full_name", "")
        user.password_changed_at = timezone.now()
        with transaction.atomic():
            user.save()
            services.make_customer(user=user)
            events.about(user, "identity.registered")
        return user

    def set_password(self, user: User, password: str) -> None:
        services.set_password(user=user, password=password, now=timezone.now())

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Hold many addresses against one account; wrong tries of one address are counted by axes."""
        try:
            services.guard_sign_in(email=str(credentials.get("email") or credentials.get("username") or ""))
        except TooMany as error:
            raise ImmediateHttpResponse(throttle.page(request, error)) from error

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        user = request.user
        if user.is_staff and not user.groups.filter(name="customer").exists():
            return reverse("admin:index")
        return str(super().get_login_redirect_url(request))

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request)

    # --- Mail ---

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that does not answer must not break the page; the person can ask for the mail again."""
        site = {"SITE_NAME": settings.SITE_NAME, "SANDBOX": settings.SANDBOX, "email": email}
        message = self.render_mail(template_prefix, email, {**site, **context})
        try:
            message.send()
        except (OSError, SMTPException):
            logger.exception("mail could not be handed over", extra={"mail": template_prefix})

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing here: what happened to an account is told through the outbox, which loses nothing."""

    def get_email_confirmation_url(self, request: HttpRequest | None, emailconfirmation: Any) -> str:
        return settings.BASE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _, token = key.partition("-")
        return settings.BASE_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner of a known address. Hashing costs what it costs for an unknown one."""
        make_password(get_random_string(20))
        links = {
            "signup_url": settings.BASE_URL + reverse("account_signup"),
            "password_reset_url": settings.BASE_URL + reverse("account_reset_password"),
        }
        self.send_mail("account/email/account_already_exists", email, links)
