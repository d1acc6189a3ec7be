"""Forms of the payment pages: they hold what was typed; services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.queries import Holding
from common import geography
from common.errors import DomainError
from common.forms import DomainFormMixin, MoneyField, PinField
from payments.rules import bulk_files, ibans

_AMOUNT = {"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"}
_PLAIN = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


class AccountField(forms.ChoiceField):
    """One of the actor's accounts as a radio card. Whose account it is, the service checks: a stranger's is a 404."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {"required": "Choose an account."})
        super().__init__(**kwargs)

    def offer(self, holdings: Sequence[Holding]) -> None:
        self.choices = [(str(holding.account.pk), holding.account.number) for holding in holdings]

    def to_python(self, value: Any) -> Any:
        try:
            return UUID(str(value)) if value else None
        except ValueError:
            raise forms.ValidationError("Choose an account.", code="invalid_choice") from None

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)


class PaymentForm(DomainFormMixin, forms.Form):
    """What every payment asks: from where, how much, what for, and in a sandbox the pretended place."""

    debit_account = AccountField(label="From")
    amount = forms.CharField(label="Amount", max_length=24, widget=forms.TextInput(attrs=_AMOUNT))
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=140,
        help_text="Both sides read it on their statement.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    country = forms.ChoiceField(
        label="Pay as if from",
        required=False,
        help_text="Shows how the checks look at payments made away from home.",
    )

    def __init__(self, *args: Any, holdings: Sequence[Holding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holdings = [holding for holding in holdings if holding.account.is_active]
        for field in self.fields.values():
            if isinstance(field, AccountField):
                field.offer(self.holdings)
        country = self.fields["country"]
        if settings.SANDBOX and isinstance(country, forms.ChoiceField):
            country.choices = [("", "Where you really are"), *geography.countries()]
        else:
            del self.fields["country"]


class TransferForm(PaymentForm):
    payee_name = forms.CharField(
        label="Payee's name",
        max_length=140,
        help_text="As on their account: we check that it fits the number.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    payee_number = forms.CharField(
        label="Payee's account number", max_length=40, widget=forms.TextInput(attrs=_PLAIN | {"placeholder": "BP…"})
    )
    field_order = ("debit_account", "payee_name", "payee_number", "amount", "description", "country")


class OwnTransferForm(PaymentForm):
    credit_account = AccountField(label="To")
    field_order = ("debit_account", "credit_account", "amount", "description", "country")


class WithdrawalForm(PaymentForm):
    iban = forms.CharField(
        label="IBAN",
        max_length=42,
        help_text="Of your account at another bank.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    field_order = ("debit_account", "iban", "amount", "description", "country")


class SandboxDepositForm(DomainFormMixin, forms.Form):
    """Play money into an own account; `client_id` makes a double click harmless."""

    account_number = forms.ChoiceField(label="Into", widget=forms.RadioSelect)
    amount = forms.CharField(label="Amount", max_length=24, widget=forms.TextInput(attrs=_AMOUNT))
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, holdings: Sequence[Holding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holdings = [holding for holding in holdings if holding.account.is_active]
        field = self.fields["account_number"]
        assert isinstance(field, forms.ChoiceField), "declared above"
        field.choices = [(holding.account.number, holding.account.number) for holding in self.holdings]


class PayeeForm(DomainFormMixin, forms.Form):
    """Somebody to pay again: an account of this bank or an IBAN, one of both."""

    name = forms.CharField(
        label="Name",
        max_length=140,
        help_text="As on their account.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    payee_number = forms.CharField(
        label="Account number with us",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN | {"placeholder": "BP…"}),
    )
    iban = forms.CharField(
        label="Or an IBAN at another bank", max_length=42, required=False, widget=forms.TextInput(attrs=_PLAIN)
    )
    pin = PinField()

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        given = [name for name in ("payee_number", "iban") if facts.get(name)]
        if not given and not {"payee_number", "iban"} & set(self.errors):
            self.add_error("payee_number", "Enter an account number or an IBAN.")
        elif len(given) == 2:
            self.add_error("iban", "Enter an account number or an IBAN, not both.")
        return facts

    def attach(self, error: DomainError) -> None:
        """Services call the name `payee_name`, as in a payment."""
        if error.field == "payee_name":
            self.add_error("name", error.text)
        else:
            super().attach(error)


class OwnLimitsForm(DomainFormMixin, forms.Form):
    """Amounts in the base currency; empty means that only the bank's limit holds."""

    WINDOWS = ("per_payment", "daily", "monthly")

    per_payment = MoneyField(label="One payment", required=False, currency=settings.BASE_CURRENCY)
    daily = MoneyField(label="A day", required=False, currency=settings.BASE_CURRENCY)
    monthly = MoneyField(label="A calendar month", required=False, currency=settings.BASE_CURRENCY)
    pin = PinField()


class StandingOrderForm(DomainFormMixin, forms.Form):
    """A payment for later, once or again and again; one of three kinds of payee is named."""

    RHYTHMS = (
        ("ONCE-1", "Once"),
        ("WEEK-1", "Each week"),
        ("WEEK-2", "Every 2 weeks"),
        ("WEEK-4", "Every 4 weeks"),
        ("MONTH-1", "Each month"),
        ("MONTH-3", "Each quarter"),
        ("MONTH-12", "Each year"),
    )

    debit_account = AccountField(label="From")
    payee_name = forms.CharField(
        label="Payee's name",
        max_length=140,
        required=False,
        help_text="As on their account. Needed for somebody else's account with us: we check that it fits the number.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    payee_number = forms.CharField(
        label="Account number or IBAN",
        max_length=42,
        help_text="One of ours, one of your own, or an IBAN at another bank.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    amount = forms.CharField(label="Amount", max_length=24, widget=forms.TextInput(attrs=_AMOUNT))
    rhythm = forms.ChoiceField(label="How often", choices=RHYTHMS)
    first_date = forms.DateField(
        label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), input_formats=["%Y-%m-%d"]
    )
    last_date = forms.DateField(
        label="Last day",
        required=False,
        help_text="Leave it empty to go on until you cancel.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    description = forms.CharField(
        label="Description", required=False, max_length=140, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    pin = PinField(required=False)
    client_id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, holdings: Sequence[Holding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holdings = [holding for holding in holdings if holding.account.is_active]
        field = self.fields["debit_account"]
        assert isinstance(field, AccountField), "declared above"
        field.offer(self.holdings)

    def order_facts(self) -> dict[str, Any]:
        """What `services.draft_standing_order` takes, without actor and time."""
        facts = self.cleaned_data
        unit, every = facts["rhythm"].split("-")
        return {
            "debit_account_id": facts["debit_account"],
            "amount": facts["amount"],
            "unit": unit,
            "every": int(every),
            "first_date": facts["first_date"],
            "last_date": facts["last_date"],
            "description": facts["description"],
            **self._payee(),
        }

    def attach(self, error: DomainError) -> None:
        """Every kind of payee is one input here, and unit and number are one choice."""
        beside = {"iban": "payee_number", "credit_account": "payee_number", "unit": "rhythm", "every": "rhythm"}
        field = beside.get(error.field or "", error.field)
        self.add_error(
            field if field in self.fields else None, forms.ValidationError(error.text, code=error.error_code)
        )

    def _payee(self) -> dict[str, Any]:
        number = "".join(self.cleaned_data["payee_number"].split()).upper()
        own = next((holding.account for holding in self.holdings if holding.account.number == number), None)
        if own is not None:
            return {"credit_account_id": own.pk}
        if ibans.clean(number) is not None:
            return {"iban": number, "payee_name": self.cleaned_data["payee_name"]}
        return {"payee_number": number, "payee_name": self.cleaned_data["payee_name"]}


class ConfirmForm(DomainFormMixin, forms.Form):
    pin = PinField()


class AnswerForm(DomainFormMixin, forms.Form):
    """Was it you? And the PIN, so that nobody else answers."""

    answer = forms.ChoiceField(
        label="Was it you who asked for this payment?",
        choices=(("yes", "Yes, this was me"), ("no", "No, this was not me")),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one of the two."},
    )
    pin = PinField()


class BulkFileForm(DomainFormMixin, forms.Form):
    """A file of payments, the account that pays, and what happens when a row fails."""

    debit_account = AccountField(label="Pay from")
    file = forms.FileField(
        label="File",
        error_messages={"required": "Choose a file.", "empty": "This file is empty."},
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    mode = forms.ChoiceField(
        label="When a row cannot be paid",
        choices=[("EACH", "Pay the others"), ("WHOLE", "Pay nothing at all")],
        initial="EACH",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, holdings: Sequence[Holding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holdings = [
            holding for holding in holdings if holding.account.is_active and holding.account.product.allows_bulk
        ]
        field = self.fields["debit_account"]
        assert isinstance(field, AccountField), "declared above"
        field.offer(self.holdings)

    def clean_file(self) -> Any:
        """Read no more than a file may have; what is in it, the service checks."""
        file = self.cleaned_data["file"]
        if file.size > bulk_files.MAX_BYTES:
            raise forms.ValidationError(f"A file has {bulk_files.MAX_BYTES // 1024} kB at most.", code="too_large")
        return file


class BulkConfirmForm(DomainFormMixin, forms.Form):
    """The PIN, and the digest of the file that was shown."""

    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    pin = PinField()


class CounterForm(DomainFormMixin, forms.Form):
    """A teller's deposit or withdrawal: find the account, then confirm."""

    account_number = forms.CharField(
        label="Account number", max_length=40, widget=UnfoldAdminTextInputWidget(attrs=_PLAIN)
    )
    amount = forms.CharField(label="Amount", max_length=24, widget=UnfoldAdminTextInputWidget(attrs=_AMOUNT))
    description = forms.CharField(
        label="Note on the statement", required=False, max_length=140, widget=UnfoldAdminTextInputWidget()
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)
