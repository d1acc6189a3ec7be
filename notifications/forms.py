from __future__ import annotations

from django import forms


class MailboxFilter(forms.Form):
    """Find the mail of one person."""

    to = forms.CharField(
        label="Sent to",
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off", "placeholder": "name@example.com"}),
    )
