"""Forms of the loan pages: they hold what was typed; services decide."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from accounts.queries import Holding
from common.forms import DomainFormMixin, PinField
from loans.models import Application, LoanProduct

_AMOUNT = {"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"}
_WHOLE = {"inputmode": "numeric", "autocomplete": "off"}


def _amount(label: str, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=24, widget=forms.TextInput(attrs=_AMOUNT), **more)


def _how_long(product: LoanProduct) -> str:
    """What fits into a line of a select on a phone."""
    return product.term if product.every == 1 else product.rhythm.words


class WishForm(DomainFormMixin, forms.Form):
    """Which loan, how much, how long. The limits are the product's, and the service says them."""

    product = forms.ChoiceField(label="Loan")
    amount = _amount("Amount")
    instalments = forms.IntegerField(
        label="Number of instalments",
        min_value=1,
        max_value=1200,
        widget=forms.TextInput(attrs={**_WHOLE, "maxlength": "4"}),
    )

    def __init__(self, *args: Any, products: Sequence[LoanProduct], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["product"]
        assert isinstance(field, forms.ChoiceField), "declared above"
        field.choices = [(product.code, f"{product.name}, {_how_long(product)}") for product in products]


class CalculatorForm(WishForm):
    """The same for a visitor, who may also try a rate."""

    rate = forms.DecimalField(
        label="Rate a year, in %",
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        help_text="Empty: the product's best rate.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class ApplyForm(WishForm):
    """The wish, and which parts of it come later; `later` is what of them was filled in."""

    purpose = forms.CharField(
        label="What for", max_length=140, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, products: Sequence[LoanProduct], **kwargs: Any) -> None:
        super().__init__(*args, products=products, **kwargs)
        most = max((product.max_tranches for product in products), default=1)
        self.numbers = range(2, most + 1)
        for number in self.numbers:
            self.fields[f"part_{number}"] = _amount(f"Part {number}", required=False)
            self.fields[f"months_{number}"] = forms.IntegerField(
                label="Months after the first part",
                required=False,
                min_value=1,
                max_value=1200,
                widget=forms.TextInput(attrs={**_WHOLE, "maxlength": "4"}),
            )

    @property
    def part_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"part_{number}"], self[f"months_{number}"]) for number in self.numbers]

    @property
    def in_parts(self) -> bool:
        """Whether something is filled in there, or wrong."""
        return any(field.value() or field.errors for pair in self.part_fields for field in pair)

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or self.cleaned_data
        for number in self.numbers:
            amount, months = facts.get(f"part_{number}"), facts.get(f"months_{number}")
            if amount and months is None and f"months_{number}" not in self.errors:
                self.add_error(f"months_{number}", "Say after how many months.")
            if months is not None and not amount and f"part_{number}" not in self.errors:
                self.add_error(f"part_{number}", "Say how much.")
        facts["later"] = [
            (facts[f"months_{number}"], facts[f"part_{number}"])
            for number in self.numbers
            if facts.get(f"part_{number}") and facts.get(f"months_{number}")
        ]
        return facts


class MeansForm(DomainFormMixin, forms.Form):
    """Where the money goes, and what comes in and goes out each month."""

    account = forms.ChoiceField(
        label="Account",
        help_text="The money goes there, and the instalments come from there.",
        widget=forms.RadioSelect,
    )
    employment = forms.ChoiceField(
        label="What you do", choices=Application.Employment.choices, widget=forms.RadioSelect
    )
    income = _amount("Your income a month", help_text="After tax. We compare it with what comes into your accounts.")
    obligations = _amount("Fixed payments a month", help_text="Rent, other loans, insurance. Enter 0 for none.")

    def __init__(self, *args: Any, holdings: Sequence[Holding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ChoiceField), "declared above"
        field.choices = [(str(each.account.pk), f"{each.name}, {each.account.masked_number}") for each in holdings]

    def clean_account(self) -> UUID:
        return UUID(self.cleaned_data["account"])


class AcceptForm(DomainFormMixin, forms.Form):
    """Agreeing to an offer: having read it, and the PIN."""

    agree = forms.BooleanField(
        label="I have read the key facts and agree to this loan.", error_messages={"required": "Tick this to agree."}
    )
    pin = PinField()


class ExtraForm(DomainFormMixin, forms.Form):
    amount = _amount("Extra payment")


class RecoverForm(DomainFormMixin, forms.Form):
    """Paying something of a loan that was written off; `client_id` makes a second click harmless."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = _amount("Amount")


class ConfirmForm(DomainFormMixin, forms.Form):
    """One deed, confirmed once: `client_id` makes a second click harmless, `quoted_minor` holds what was shown."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.CharField(max_length=24, required=False, widget=forms.HiddenInput)
    quoted_minor = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)
