"""The rule editor: rows of feature, comparison and value in two groups, for people who do not program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from common.forms import DomainFormMixin
from fraud.errors import InvalidCondition
from fraud.models import RuleAction
from fraud.rules import conditions, wording
from fraud.rules.features import FEATURES, Feature, Kind

GROUPS: Mapping[str, int] = {"first": 5, "second": 4}
JOINS = (("all", "all of these are true"), ("any", "at least one of these is true"))
LINKS = (("all", "and also"), ("any", "or else"))
COMPARISONS = (
    (">", "more than"),
    (">=", "at least"),
    ("<", "less than"),
    ("<=", "at most"),
    ("==", "is"),
    ("!=", "is not"),
    ("in", "is one of"),
    ("not_in", "is none of"),
)
_FEATURES = [("", "–"), *((feature.name, feature.label) for feature in FEATURES.values())]
_OF = [
    ("", "the value itself"),
    *(
        (feature.name, f"times {feature.label[:1].lower()}{feature.label[1:]}")
        for feature in FEATURES.values()
        if feature.kind in conditions.COMPARABLE
    ),
]
_WORDS = {"yes": True, "no": False, "true": True, "false": False}


class TooRich(Exception):
    """The condition has a shape that two groups of rows cannot show."""


class RuleForm(DomainFormMixin, forms.Form):
    """`condition` is the tree after cleaning; `preview` its sentence, empty while something is wrong."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    action = forms.ChoiceField(label="What happens", choices=RuleAction.choices, widget=UnfoldAdminSelectWidget)
    customer_text = forms.CharField(
        label="What the customer reads",
        max_length=200,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Say what we saw, not how we found it.",
    )

    def __init__(self, *args: Any, is_new: bool, kept: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """`kept` is a condition that two groups of rows cannot show: it stays as it is, the rest can be edited."""
        super().__init__(*args, **kwargs)
        self.kept = kept
        self.condition: dict[str, Any] | None = None
        self.preview = ""
        if is_new:
            self.fields["code"] = forms.CharField(
                max_length=40,
                widget=UnfoldAdminTextInputWidget,
                help_text="A short name for reports, such as NIGHT_LARGE. It never changes.",
            )
            self.order_fields(["code", "name", "action", "customer_text"])
        if kept is not None:
            return
        self.fields["link"] = _choice("The two groups are joined by", LINKS)
        for group, count in GROUPS.items():
            self.fields[f"{group}_join"] = _choice("Hits when", JOINS)
            for index in range(count):
                self._add_row(f"{group}_{index}")

    def _add_row(self, prefix: str) -> None:
        self.fields[f"{prefix}_feature"] = _choice("Feature", _FEATURES, required=False)
        self.fields[f"{prefix}_op"] = _choice("Comparison", COMPARISONS, required=False)
        self.fields[f"{prefix}_value"] = forms.CharField(
            label="Value", max_length=200, required=False, widget=UnfoldAdminTextInputWidget
        )
        self.fields[f"{prefix}_of"] = _choice("Compared with", _OF, required=False)

    def rows(self) -> Iterator[dict[str, Any]]:
        """For the template: each group with its join and its rows of bound fields; none for a kept condition."""
        if self.kept is not None:
            return
        for group, count in GROUPS.items():
            parts = ("feature", "op", "value", "of")
            yield {
                "name": group,
                "join": self[f"{group}_join"],
                "rows": [{part: self[f"{group}_{index}_{part}"] for part in parts} for index in range(count)],
            }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.kept is not None:
            self.condition = self.kept
            self.preview = wording.sentence(
                conditions.parse(self.kept, currency=settings.BASE_CURRENCY), currency=settings.BASE_CURRENCY
            )
            return cleaned
        groups = {group: self._comparisons(group, cleaned) for group in GROUPS}
        tree = join(
            first=(cleaned.get("first_join", "all"), groups["first"]),
            second=(cleaned.get("second_join", "all"), groups["second"]),
            link=cleaned.get("link", "all"),
        )
        if tree is None:
            if not any("_feature" in name or "_value" in name for name in self.errors):
                self.add_error("first_0_feature", "Choose at least one feature.")
            return cleaned
        try:
            node = conditions.parse(tree, currency=settings.BASE_CURRENCY)
        except InvalidCondition as error:
            if not self.errors:
                self.add_error(None, error.text)
            return cleaned
        self.condition = tree
        self.preview = wording.sentence(node, currency=settings.BASE_CURRENCY)
        return cleaned

    def _comparisons(self, group: str, cleaned: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for index in range(GROUPS[group]):
            prefix = f"{group}_{index}"
            name = cleaned.get(f"{prefix}_feature")
            if not name:
                if cleaned.get(f"{prefix}_value"):
                    self.add_error(f"{prefix}_feature", "Choose a feature for this value.")
                continue
            comparison = to_comparison(
                FEATURES[name],
                op=cleaned.get(f"{prefix}_op") or ">",
                text=cleaned.get(f"{prefix}_value", ""),
                of=cleaned.get(f"{prefix}_of", ""),
            )
            try:
                conditions.parse(comparison, currency=settings.BASE_CURRENCY)
            except InvalidCondition as error:
                part = error.path.removeprefix("condition").lstrip(".")
                part = "value" if part in ("", "times") else part
                self.add_error(f"{prefix}_{part}", error.text)
            else:
                found.append(comparison)
        return found


def to_comparison(feature: Feature, *, op: str, text: str, of: str) -> dict[str, Any]:
    """What a row says, as JSON; a value that does not fit stays text and is refused by the parser."""
    text = text.strip()
    if of:
        return {"feature": feature.name, "op": op, "times": text, "of": of}
    value: Any = text
    if op in ("in", "not_in"):
        value = [member.strip().upper() for member in text.split(",") if member.strip()]
    elif feature.kind is Kind.FLAG:
        value = _WORDS.get(text.lower(), text)
    elif feature.kind in (Kind.COUNT, Kind.NUMBER):
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else text
    elif feature.kind in (Kind.CHOICE, Kind.COUNTRY):
        value = text.upper()
    return {"feature": feature.name, "op": op, "value": value}


def join(
    *, first: tuple[str, list[dict[str, Any]]], second: tuple[str, list[dict[str, Any]]], link: str
) -> dict[str, Any] | None:
    """The tree of two groups; None when both are empty."""
    filled = [(mode, rows) for mode, rows in (first, second) if rows]
    if not filled:
        return None
    if len(filled) == 1:
        return {filled[0][0]: filled[0][1]}
    (mode, rows), (other_mode, other_rows) = filled
    if mode == link:
        return {link: [*rows, {other_mode: other_rows}]}
    return {link: [{mode: rows}, {other_mode: other_rows}]}


def initial_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The form's initial values for a stored tree. Raises TooRich when two groups of rows cannot show it."""
    if "feature" in tree:
        tree = {"all": [tree]}
    (link, parts), *_ = tree.items()
    if link == "not":
        raise TooRich
    rows = [part for part in parts if "feature" in part]
    groups = [part for part in parts if "feature" not in part]
    if rows and len(groups) <= 1:
        shown = [(link, rows), *_groups(groups)]
    elif not rows and len(groups) <= 2:
        shown = _groups(groups)
    else:
        raise TooRich
    values: dict[str, Any] = {"link": link}
    for (name, count), (mode, members) in zip(GROUPS.items(), shown, strict=False):
        if len(members) > count:
            raise TooRich
        values[f"{name}_join"] = mode
        for index, comparison in enumerate(members):
            values |= {f"{name}_{index}_{key}": value for key, value in _row(comparison).items()}
    return values


def _groups(groups: list[Mapping[str, Any]]) -> list[tuple[str, list[Any]]]:
    found = []
    for group in groups:
        (mode, members), *_ = group.items()
        if mode == "not" or any("feature" not in member for member in members):
            raise TooRich
        found.append((mode, members))
    return found


def _row(comparison: Mapping[str, Any]) -> dict[str, str]:
    value = comparison.get("times", comparison.get("value"))
    if isinstance(value, bool):
        text = "yes" if value else "no"
    else:
        text = ", ".join(value) if isinstance(value, list) else str(value)
    return {
        "feature": comparison["feature"],
        "op": comparison["op"],
        "value": text,
        "of": comparison.get("of", ""),
    }


def _choice(label: str, choices: Any, *, required: bool = True) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, required=required, widget=UnfoldAdminSelectWidget)
