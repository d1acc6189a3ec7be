"""Form plumbing: domain errors beside their field, amounts and PINs as typed. Only here are errors mapped to pages."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from common.errors import DomainError, Invalid
from common.money import Money


class DomainFormMixin(forms.BaseForm):
    """`form.attach(error)` shows a DomainError beside the field it names, or on top of the form."""

    def attach(self, error: DomainError) -> None:
        field = error.field if error.field in self.fields else None
        self.add_error(field, forms.ValidationError(error.text, code=error.error_code))


class MoneyField(forms.CharField):
    """Text that `Money.parse` accepts; cleans to Money. The currency is set by the form (`field.currency = "EUR"`)."""

    def __init__(self, *, currency: str = "EUR", **kwargs: Any) -> None:
        self.currency = currency
        kwargs.setdefault("max_length", 24)
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"})
        kwargs.setdefault("widget", widget)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Money | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Money.parse(text, self.currency)
        except Invalid as error:
            raise forms.ValidationError(error.text, code=error.error_code) from error


class PinField(forms.CharField):
    """A transaction PIN of 4 to 6 digits; never rendered back."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "Transaction PIN")
        attrs = {"inputmode": "numeric", "autocomplete": "off", "maxlength": "6", "pattern": "[0-9]{4,6}"}
        kwargs.setdefault("widget", forms.PasswordInput(attrs=attrs, render_value=False))
        super().__init__(**kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not re.fullmatch(r"[0-9]{4,6}", value, re.ASCII):
            raise forms.ValidationError("A PIN has 4 to 6 digits.", code="invalid_pin")
