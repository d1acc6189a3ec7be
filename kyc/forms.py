"""The forms of the identity check. Each field is judged by the same rules as in the services."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from common import geography
from common.forms import DomainFormMixin
from kyc.models import Document
from kyc.rules import personal

_PICK = [("", "Choose")]


def _choice(label: str, options: dict[str, str], **kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[*_PICK, *options.items()], **kwargs)


def _countries() -> list[tuple[str, str]]:
    return [*_PICK, *geography.countries()]


def _text(label: str, name: str, autocomplete: str, help_text: str = "", **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete, **attrs})
    return forms.CharField(label=label, max_length=personal.TEXT_LIMITS[name], help_text=help_text, widget=widget)


def _date(label: str, autocomplete: str) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": autocomplete})
    return forms.DateField(label=label, widget=widget)


class PersonalForm(DomainFormMixin, forms.Form):
    """Personal data; `today` (a date) decides about age and expiry."""

    first_name = _text("First names", "first_name", "given-name", "As in your passport or identity card.")
    last_name = _text("Last name", "last_name", "family-name")
    date_of_birth = _date("Date of birth", "bday")
    nationality = forms.ChoiceField(label="Nationality", choices=_countries)
    document_kind = _choice("Kind of document", personal.DOCUMENT_KINDS)
    document_country = forms.ChoiceField(label="Issued by", choices=_countries)
    document_number = _text(
        "Document number",
        "document_number",
        "off",
        "Where an identity card shows a personal number, such as PESEL or DNI, enter that one.",
    )
    document_expiry = _date("Valid until", "off")
    address = _text("Street and number", "address", "street-address")
    city = _text("Town or city", "city", "address-level2")
    postcode = _text("Postcode", "postcode", "postal-code")
    home_country = forms.ChoiceField(
        label="Country", choices=_countries, widget=forms.Select(attrs={"autocomplete": "country"})
    )
    phone = _text("Phone number", "phone", "tel", "With country code, such as +49 30 1234567.", inputmode="tel")
    occupation = _choice("Occupation", personal.OCCUPATIONS)
    source_of_funds = _choice("Where your money comes from", personal.FUNDS)
    expected_monthly = _choice("What you expect to receive in a month", personal.MONTHLY_AMOUNTS)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        cleaned = personal.tidy(super().clean() or {})
        for problem in personal.check(cleaned, today=self.today):
            if problem.field not in self.errors:
                self.add_error(problem.field, forms.ValidationError(problem.message, code=problem.code))
        return cleaned


class DocumentForm(DomainFormMixin, forms.Form):
    """One file of a kind that the page decides."""

    kind = forms.ChoiceField(choices=Document.Kind.choices, widget=forms.HiddenInput)
    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        max_length=255,
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png,image/webp"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].error_messages["required"] = "Choose a file first."
