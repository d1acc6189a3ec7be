"""Charts of a training and of drift, from what the manifest and the reports hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.template.defaultfilters import date

from common.money import Money
from fraud.models import DriftReport
from fraud.rules.drawing import Chart, Line, Mark, across, ceiling, polyline, ticks, upwards
from fraud.rules.drift import DRIFTED
from fraud.rules.features import FEATURES

Points = Sequence[Sequence[float]]
# Below this an index is noise, above DRIFTED a change that somebody should look into.
WATCH = 0.1


def percent(share: float, places: int = 0) -> str:
    return f"{share * 100:.{places}f}%"


def roc(curves: Mapping[str, Any]) -> Chart | None:
    points: Points = curves.get("roc", [])
    if not points:
        return None
    at_five = _value_at(points, 0.05)
    return _unit_chart(
        "ROC",
        f"Of the frauds it finds {percent(at_five)} when 5% of the other payments are alarms; "
        f"the area below is {curves.get('auc_roc', 0):.3f}, and 0.5 for a coin.",
        points,
        "False alarms",
        "Frauds found",
        guide=((0, 0), (1, 1)),
        guide_label="A coin",
    )


def precision_recall(curves: Mapping[str, Any]) -> Chart | None:
    points: Points = curves.get("precision_recall", [])
    if not points:
        return None
    base = curves["frauds"] / (curves["frauds"] + curves["others"])
    return _unit_chart(
        "Precision and recall",
        f"When half of the frauds are found, {percent(_value_at(points, 0.5))} of the alarms are right; "
        f"by chance it would be {percent(base, 1)}.",
        points,
        "Frauds found",
        "Alarms that are right",
        guide=((0, base), (1, base)),
        guide_label="By chance",
    )


def calibration(curves: Mapping[str, Any]) -> Chart | None:
    tenths = curves.get("calibration", [])
    if not tenths:
        return None
    end = ceiling(max(max(each["score"], each["frauds"]) for each in tenths))
    x, y = across(0, end), upwards(end)
    places = 0 if end > 0.1 else 1
    worst = max(tenths, key=lambda each: abs(each["score"] - each["frauds"]))
    return Chart(
        title="Calibration",
        summary=(
            "Payments in ten groups by score. On the dashed line a score is the share of frauds; the group furthest from "
            f"it has a mean score of {percent(worst['score'], 1)} and {percent(worst['frauds'], 1)} frauds."
        ),
        x_ticks=ticks(x, lambda value: percent(value, places)),
        y_ticks=ticks(y, lambda value: percent(value, places)),
        lines=[Line(polyline((0, end), (0, end), x, y), "guide", "Score equals share")],
        dots=[
            Mark(
                x.at(each["score"]),
                y.at(each["frauds"]),
                "accent",
                f"Mean score {percent(each['score'], 1)}: {percent(each['frauds'], 1)} frauds of {each['rows']}",
                radius=5,
            )
            for each in tenths
        ],
        columns=("Group", "Payments", "Mean score", "Frauds"),
        rows=[
            [str(number), str(each["rows"]), percent(each["score"], 1), percent(each["frauds"], 1)]
            for number, each in enumerate(tenths, start=1)
        ],
    )


def costs(metrics: Mapping[str, Any]) -> Chart | None:
    """What each share of reviewed payments costs in missed fraud and in reviews."""
    rows = metrics.get("costs", [])
    if not rows:
        return None
    cheapest = min(rows, key=lambda each: each["cost_minor"])
    x, y = across(0, len(rows) - 1), upwards(ceiling(max(each["cost_minor"] for each in rows) / 100))

    def line(name: str, tone: str, label: str) -> Line:
        return Line(polyline(range(len(rows)), [each[name] / 100 for each in rows], x, y), tone, label)

    shown = ticks(x, lambda place: f"{rows[round(place)]['share'] * 100:g}%", parts=len(rows) - 1)
    return Chart(
        title="What a threshold costs",
        note="by the share of payments that people review",
        summary=(
            f"Cheapest on the days it was tried on: reviewing {percent(cheapest['share'], 1)} costs "
            f"{_money(cheapest['cost_minor'])}, {_money(cheapest['missed_minor'])} of it missed fraud."
        ),
        x_ticks=shown,
        y_ticks=ticks(y, short_money),
        lines=[
            line("cost_minor", "accent", "Together"),
            line("missed_minor", "muted", "Missed fraud"),
            line("review_minor", "guide", "Reviews"),
        ],
        columns=("Reviewed", "From a score of", "Frauds found", "Alarms right", "Missed", "Reviews", "Together"),
        rows=[
            [
                percent(each["share"], 1),
                f"{each['threshold']:.4f}",
                percent(each["recall"]),
                "–" if each["precision"] is None else percent(each["precision"]),
                _money(each["missed_minor"]),
                _money(each["review_minor"]),
                _money(each["cost_minor"]),
            ]
            for each in rows
        ],
    )


def _plain(value: float) -> str:
    return f"{value:.2f}"


def over_time(
    reports: Sequence[DriftReport],
    title: str,
    summary: str,
    series: Mapping[str, list[float | None]],
    *,
    show: Callable[[float], str] = _plain,
    guide: tuple[float, str] | None = None,
) -> Chart | None:
    """Lines by day, in the words of `show`; `guide` is a level to compare with. None for fewer than two days."""
    if len(reports) < 2:
        return None
    values = [value for one in series.values() for value in one if value is not None]
    x = across(0, len(reports) - 1)
    y = upwards(ceiling(max([*values, guide[0] * 1.2 if guide else 0.0])))
    lines = [
        Line(
            polyline(
                [place for place, value in enumerate(one) if value is not None],
                [value for value in one if value is not None],
                x,
                y,
            ),
            tone,
            label,
        )
        for (label, one), tone in zip(series.items(), ("accent", "muted"), strict=False)
    ]
    if guide is not None:
        lines.append(Line(polyline((0, len(reports) - 1), (guide[0], guide[0]), x, y), "guide", guide[1]))
    parts = min(4, len(reports) - 1)
    return Chart(
        title=title,
        summary=summary,
        x_ticks=ticks(x, lambda place: date(reports[round(place)].day, "j M"), parts=parts),
        y_ticks=ticks(y, show),
        lines=lines,
        columns=("Day", *series),
        rows=[
            [date(report.day, "j M Y"), *("–" if one[place] is None else show(one[place]) for one in series.values())]
            for place, report in reversed(list(enumerate(reports)))
        ],
    )


def index_rows(report: DriftReport) -> list[dict[str, Any]]:
    """Score and features, those that moved most first."""
    found = report.features | ({} if report.score is None else {"score": report.score})
    return [
        {
            "name": "The score" if name == "score" else FEATURES[name].label if name in FEATURES else name,
            "index": f"{index:.3f}",
            "percent": min(100, round(100 * index / (2 * DRIFTED))),
            "word": "drifted" if name in report.drifted else "watch" if index > WATCH else "steady",
            "alarm": name in report.drifted,
        }
        for name, index in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]


def _hours(value: float) -> str:
    return f"{value:,.0f} h" if value >= 10 else f"{value:.2g} h"


def drift_charts(reports: Sequence[DriftReport]) -> list[Chart]:
    if not reports:
        return []
    last = reports[-1]
    highest = [max(report.features.values(), default=0.0) for report in reports]
    found = (
        over_time(
            reports,
            "Stability index",
            f"On {date(last.day, 'j F')} the highest index of a feature is {highest[-1]:.3f}, and that of the score "
            f"{'not known yet' if last.score is None else f'{last.score:.3f}'}; above {DRIFTED} is drift.",
            {"Score": [report.score for report in reports], "Highest of a feature": [*highest]},
            guide=(DRIFTED, "Drift"),
        ),
        over_time(
            reports,
            "Alert rate",
            f"{percent(last.alert_share, 2)} of the week's payments were flagged or blocked.",
            {"Flagged or blocked": [report.alert_share for report in reports]},
            show=lambda value: f"{value * 100:.3g}%",
        ),
        over_time(
            reports,
            "Label delay",
            "How long it took until half of the week's labels were known."
            if last.label_delay_hours is None
            else f"Half of the week's labels were known after {_hours(last.label_delay_hours)}.",
            {"Median in hours": [report.label_delay_hours for report in reports]},
            show=_hours,
        ),
    )
    return [chart for chart in found if chart is not None]


def _unit_chart(
    title: str,
    summary: str,
    points: Points,
    across_label: str,
    up_label: str,
    *,
    guide: Sequence[Sequence[float]],
    guide_label: str,
) -> Chart:
    """A curve between 0 and 1 on both axes."""
    x, y = across(0, 1), upwards(1)
    tenths = [(step / 10, _value_at(points, step / 10)) for step in range(11)]
    return Chart(
        title=title,
        note=f"{up_label.lower()} (upwards) against {across_label.lower()}",
        summary=summary,
        x_ticks=ticks(x, percent),
        y_ticks=ticks(y, percent),
        lines=[
            Line(
                polyline([point[0] for point in points], [point[1] for point in points], x, y), "accent", "This model"
            ),
            Line(polyline([point[0] for point in guide], [point[1] for point in guide], x, y), "guide", guide_label),
        ],
        columns=(across_label, up_label),
        rows=[[percent(at), percent(value, 1)] for at, value in tenths],
    )


def _value_at(points: Points, place: float) -> float:
    """The curve's value at the last point not beyond a place."""
    return max((point for point in points if point[0] <= place + 1e-9), key=lambda point: point[0], default=(0.0, 0.0))[
        1
    ]


def short_money(major: float) -> str:
    """An amount of an axis in as few signs as possible, such as €12.5k."""
    size, unit = next(((size, unit) for size, unit in ((1e6, "m"), (1e3, "k")) if major >= size), (1.0, ""))
    sign = str(Money(1, settings.BASE_CURRENCY)).rstrip("0123456789.,")
    return f"{sign}{major / size:.3g}{unit}"


def _money(minor: int) -> str:
    return str(Money(minor, settings.BASE_CURRENCY))
