"""Forms of people about themselves, and the checks that allauth's forms run."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import UserAttributeSimilarityValidator
from django.http import HttpRequest
from django.utils import timezone

from common.errors import DomainError
from common.forms import DomainFormMixin, PinField
from identity import services
from identity.models import User
from identity.rules import passwords


class ContextWordsValidator:
    """Password validator: the bank's name, the address and the person's name do not make a password."""

    def __init__(self, words: list[str] | None = None) -> None:
        self.words = ["password", "bank", settings.SITE_NAME] if words is None else words

    def validate(self, password: str, user: User | None = None) -> None:
        known = passwords.context_words(*self.words)
        if user is not None:
            known |= passwords.context_words(user.email or "", user.full_name or "")
        if passwords.leans_on(password, known):
            raise forms.ValidationError("This password is little more than a name. Add other words.", code="context")

    def get_help_text(self) -> str:
        return "Three or four unrelated words make a good password. Not your name, not the bank's."


class SignupDetails(forms.Form):
    """What sign-up asks beside e-mail and password."""

    full_name = forms.CharField(
        label="Full name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["full_name", "email", "password1"]

    def clean_full_name(self) -> str:
        name = " ".join(str(self.cleaned_data["full_name"]).split())
        if not name.isprintable():
            raise forms.ValidationError("Enter your full name.", code="invalid_name")
        return name

    def clean(self) -> dict[str, Any]:
        """allauth checks the password without the name; here it is checked against the name alone."""
        cleaned = super().clean() or self.cleaned_data
        name, password = cleaned.get("full_name"), cleaned.get("password1")
        if name and password:
            try:
                UserAttributeSimilarityValidator(("full_name",)).validate(password, User(full_name=name))
                ContextWordsValidator(words=[]).validate(password, User(full_name=name))
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return cleaned

    def signup(self, request: HttpRequest, user: User) -> None:
        """The name was stored with the user by the adapter."""


def _check_code(form: AuthenticateForm | ReauthenticateForm) -> str:
    """allauth's own check counts tries in the cache, where parallel ones slip through; ours counts under a lock."""
    code = str(form.cleaned_data["code"])
    try:
        form.authenticator = services.check_second_factor(user=form.user, code=code, now=timezone.now())
    except DomainError as error:
        raise forms.ValidationError(error.text, code=error.error_code) from error
    form.authenticator.user = form.user
    return code


class SecondFactorForm(AuthenticateForm):  # type: ignore[misc]
    """The code at log-in."""

    def clean_code(self) -> str:
        return _check_code(self)


class SecondFactorAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The code before something delicate."""

    def clean_code(self) -> str:
        return _check_code(self)


class PinForm(DomainFormMixin, forms.Form):
    """Set or change the transaction PIN; the password proves who is there."""

    pin = PinField(label="New PIN", help_text="4 to 6 digits, not a simple row or repetition.")
    again = PinField(label="The same PIN again")
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = cast(dict[str, Any], super().clean() or self.cleaned_data)
        if cleaned.get("pin") and cleaned.get("again") and cleaned["pin"] != cleaned["again"]:
            self.add_error("again", forms.ValidationError("The two PINs differ.", code="differs"))
        return cleaned


class ProfileForm(DomainFormMixin, forms.Form):
    """What people may change about themselves without a new identity check."""

    full_name = forms.CharField(
        label="Name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="As we greet you.",
    )
