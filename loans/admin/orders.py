"""The order in which a payment is spent, as a form has it: a ready one to choose, or twelve numbered places."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from loans.rules.spending import PLACES, PRESETS, Preset, default_order, listed
from loans.rules.terms import Part, When

_WHENS = {When.PAST_DUE: "Past due", When.DUE: "Due today", When.IN_ADVANCE: "In advance"}
_PARTS = {Part.PENALTY: "Penalties", Part.FEE: "Fees", Part.INTEREST: "Interest", Part.PRINCIPAL: "Principal"}
# The cells of the table, row by row.
_CELLS = listed(itertools.product(_WHENS, _PARTS))
_READY = [
    ("", "As numbered below"),
    (Preset.CHARGES_FIRST.value, "By time: penalties, fees, interest, principal"),
    (Preset.INTEREST_FIRST.value, "By time: interest, principal, fees, penalties"),
    (Preset.PRINCIPAL_FIRST.value, "By time: principal, interest, fees, penalties"),
    (Preset.BY_PART.value, "By part: all penalties, all fees, all interest, all principal"),
]


class OrderWidget(forms.MultiWidget):
    """The select first, then a number for each cell of the table."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        number = {"inputmode": "numeric", "maxlength": "2", "autocomplete": "off"}
        cells = [
            UnfoldAdminTextInputWidget({**number, "aria-label": f"{_PARTS[part]}, {_WHENS[when].lower()}"})
            for when, part in itertools.product(_WHENS, _PARTS)
        ]
        super().__init__([UnfoldAdminSelectWidget(choices=_READY), *cells], attrs)

    def decompress(self, value: Any) -> list[Any]:
        order = value if isinstance(value, list) else default_order()
        return ["", *(order.index(cell) + 1 for cell in _CELLS)]

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        # A list is the order as it is stored; what was typed comes as a list of the single inputs.
        shown = value if isinstance(value, list) and len(value) == PLACES + 1 else self.decompress(value)
        own = (attrs or {}).get("id", f"id_{name}")
        preset, *cells = (
            widget.render(f"{name}_{index}", each, {"id": f"{own}_{index}"}, renderer)
            for index, (widget, each) in enumerate(zip(self.widgets, shown, strict=True))
        )
        width = len(_PARTS)
        lines = [cells[start : start + width] for start in range(0, PLACES, width)]
        return render_to_string(
            "admin/loans/_order.html",
            {
                "preset": preset,
                "preset_id": f"{own}_0",
                "places": PLACES,
                "parts": _PARTS.values(),
                "rows": zip(_WHENS.values(), lines, strict=True),
            },
        )


class OrderField(forms.MultiValueField):
    """The twelve in their order; a ready order that is chosen fills the places. Raises ValidationError for a place given twice."""

    widget = OrderWidget

    def __init__(self, **kwargs: Any) -> None:
        number = {"min_value": 1, "max_value": PLACES, "required": False}
        fields = [forms.ChoiceField(choices=_READY, required=False), *(forms.IntegerField(**number) for _ in _CELLS)]
        super().__init__(fields, require_all_fields=False, **kwargs)

    def clean(self, value: Any) -> list[str]:
        if isinstance(value, list) and value and value[0] in PRESETS:
            # Whatever stands in the places: the ready order fills them.
            return PRESETS[Preset(value[0])]
        found: list[str] = super().clean(value)
        return found

    def compress(self, data_list: list[Any]) -> list[str]:
        numbered: Mapping[str, Any] = dict(zip(_CELLS, data_list[1:], strict=False))
        if sorted(number or 0 for number in numbered.values()) != list(range(1, PLACES + 1)):
            raise forms.ValidationError(f"Give each of the twelve a place from 1 to {PLACES}, and each place once.")
        return sorted(_CELLS, key=lambda cell: int(numbered[cell]))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except forms.ValidationError:
            return True
