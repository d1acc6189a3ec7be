"""What the pages of the fraud desk ask beside a reason."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from fraud import services
from fraud.models import ListEntry
from identity.backoffice import DecisionForm


class BacktestForm(DecisionForm):
    """The reason of leaving the draft, and over how many days back the rule is tried."""

    days = forms.IntegerField(
        label="Payments of the last days",
        min_value=1,
        max_value=services.LONGEST.days,
        initial=services.BACKTEST_DAYS,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=f"1 to {services.LONGEST.days}.",
    )


class PeriodForm(BacktestForm):
    """The days alone: nothing changes, so there is no reason to give."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["reason"]


class ThresholdsForm(PeriodForm):
    flag_at = forms.DecimalField(
        label="Hold a payment from a score of",
        min_value=0,
        max_value=1,
        max_digits=6,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    block_at = forms.DecimalField(
        label="Refuse it from a score of",
        min_value=0,
        max_value=1,
        max_digits=6,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Above the first one; only the supervised model refuses.",
    )
    field_order: ClassVar[list[str] | None] = ["flag_at", "block_at", "days"]


class BudgetForm(DecisionForm):
    """Shares of traffic in percent, as people say them."""

    flagged_share = forms.DecimalField(
        label="Hold at most (percent of payments)",
        max_digits=6,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="What the team can look at: of 10,000 payments a day, 2 percent are 200 cases. Up to 20.",
    )
    blocked_share = forms.DecimalField(
        label="Refuse at most (percent of payments)",
        max_digits=6,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Less than the first one; only the supervised model refuses.",
    )


class EntryForm(DecisionForm):
    listing = forms.ChoiceField(
        label="List",
        choices=[("BLOCK", "Block: refuse the payment at once"), ("ALLOW", "Allow: keep some soft rules quiet")],
        widget=UnfoldAdminSelectWidget,
    )
    kind = forms.ChoiceField(
        label="What it names", choices=ListEntry._meta.get_field("kind").choices, widget=UnfoldAdminSelectWidget
    )
    values = forms.CharField(
        label="Payees, devices, networks or countries",
        max_length=120_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=f"One a line, {services.MOST_AT_ONCE} at most: a payee as decisions name it, a device's full name, "
        "203.0.113.9 or 203.0.113.0/24, or two letters of a country.",
    )
    label = forms.CharField(
        label="Shown as",
        max_length=120,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="A name for colleagues, if the value itself says little.",
    )
    ends_on = forms.DateField(
        label="Last day",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text="An allow entry needs one, within a year. A block may stay.",
    )
    rules = forms.MultipleChoiceField(
        label="Rules that an allow entry keeps quiet", required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rules"].choices = services.soft_rules()  # type: ignore[attr-defined]


class SnoozeForm(DecisionForm):
    rule = forms.ChoiceField(label="Rule", widget=UnfoldAdminSelectWidget)
    who = forms.CharField(
        label="For whom",
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text="A customer's e-mail, or the id of an account: the page of a decision fills it in.",
    )
    days = forms.IntegerField(
        label="For how many days",
        min_value=1,
        max_value=services.LONGEST_SNOOZE_DAYS,
        initial=7,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=f"1 to {services.LONGEST_SNOOZE_DAYS}.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = services.soft_rules()  # type: ignore[attr-defined]
