from __future__ import annotations

from django import forms
from django.http import HttpRequest

from identity.models import User


class SignupDetails(forms.Form):
    """What sign-up asks beside e-mail and password."""

    full_name = forms.CharField(
        label="Full name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        user.full_name = self.cleaned_data["full_name"]
        user.save(update_fields=["full_name"])
