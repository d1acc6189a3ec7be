"""The forms of the portal's account pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django import forms

from accounts.models import Product
from accounts.queries import Holding
from accounts.rules import periods
from accounts.rules.funding import FundingSource, own_account, sandbox
from common.errors import DomainError
from common.forms import DomainFormMixin, MoneyField, PinField
from common.money import Money, display

SANDBOX = "sandbox"


class OpeningForm(DomainFormMixin, forms.Form):
    """Opening deposit and where it comes from; the hidden client id makes a second click harmless."""

    amount = MoneyField(label="Opening deposit")
    source = forms.ChoiceField(label="Pay it from", widget=forms.RadioSelect)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: object, product: Product, payers: Sequence[Holding], with_sandbox: bool, **kw: object):
        super().__init__(*args, **kw)  # type: ignore[arg-type]
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        amount.currency = product.currency
        amount.help_text = f"At least {display(product.min_opening)}."
        choices = [
            (
                str(payer.account.pk),
                f"{payer.name}, {payer.account.masked_number}: {display(payer.available)} available",
            )
            for payer in payers
        ]
        if with_sandbox:
            choices.append((SANDBOX, "Sandbox money from outside the bank"))
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = choices

    def funding(self) -> FundingSource:
        """The chosen source of a valid form."""
        chosen = self.cleaned_data["source"]
        return sandbox() if chosen == SANDBOX else own_account(UUID(chosen))


class PeriodForm(DomainFormMixin, forms.Form):
    """A statement's first and last day, both included; `choice` names a usual period instead."""

    since = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: object, today: date, **kw: object):
        super().__init__(*args, **kw)  # type: ignore[arg-type]
        self.today = today
        self.fields["until"].widget.attrs["max"] = today.isoformat()
        self.fields["since"].widget.attrs["max"] = today.isoformat()

    def clean(self) -> dict[str, Any]:
        """Days that make a period; what they refuse stands beside the day at fault."""
        cleaned = super().clean() or {}
        if "since" in cleaned and "until" in cleaned:
            try:
                cleaned["period"] = periods.from_days(cleaned["since"], cleaned["until"], today=self.today)
            except DomainError as error:
                self.attach(error)
        return cleaned


class NicknameForm(DomainFormMixin, forms.Form):
    nickname = forms.CharField(
        label="Your name for this account",
        max_length=40,
        required=False,
        help_text="Only you see it. Leave it empty to use the product's name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReactivationForm(DomainFormMixin, forms.Form):
    pin = PinField()


class ClosingForm(DomainFormMixin, forms.Form):
    """Where the rest of the money goes (without a rest the field is gone), and the PIN for what was shown."""

    expected_minor = forms.IntegerField(widget=forms.HiddenInput)
    payout = forms.ChoiceField(label="Move the rest to", widget=forms.RadioSelect)
    pin = PinField()

    def __init__(self, *args: object, receivers: Sequence[Holding], **kw: object):
        super().__init__(*args, **kw)  # type: ignore[arg-type]
        payout = self.fields["payout"]
        assert isinstance(payout, forms.ChoiceField)
        payout.choices = [
            (str(receiver.account.pk), f"{receiver.name}, {receiver.account.masked_number}") for receiver in receivers
        ]
        if not receivers:
            del self.fields["payout"]

    def show_again(self, rest: Money) -> None:
        """A refused form goes on with the figures that the page now shows."""
        self.data = {**self.data.dict(), "expected_minor": str(rest.amount_minor)}  # type: ignore[attr-defined]

    def payout_account(self) -> UUID | None:
        """The chosen account of a valid form, if any was offered."""
        chosen = self.cleaned_data.get("payout")
        return UUID(chosen) if chosen else None
