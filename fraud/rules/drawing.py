"""Where things lie in a drawing: axes, lines, bars, and boxes with lines between them. Pure; templates write the SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 640, 280
# What lies left of an axis and below it holds its words in the largest letters, those of a phone.
LEFT, RIGHT, TOP, BOTTOM = 88, 16, 14, 40
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline; `tone` names its class: accent, muted, or guide (dashed)."""

    points: str
    tone: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot or a bar with what it says; a dot has a radius, a bar a width and a height."""

    x: float
    y: float
    tone: str
    title: str = ""
    radius: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with axes. `summary` and the table say the same to people who do not see it."""

    title: str
    summary: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    lines: list[Line] = field(default_factory=list)
    bars: list[Mark] = field(default_factory=list)
    dots: list[Mark] = field(default_factory=list)
    note: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def legend(self) -> list[Line]:
        return [line for line in self.lines if line.label]


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places: `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; beyond the ends it stays at the end."""
        span = self.high - self.low
        share = (min(max(value, self.low), self.high) - self.low) / span if span else 0.0
        return round(self.start + share * (self.end - self.start), 1)


def across(low: float, high: float) -> Axis:
    return Axis(low, high, LEFT, WIDTH - RIGHT)


def upwards(high: float, *, low: float = 0.0) -> Axis:
    return Axis(low, high, HEIGHT - BOTTOM, TOP)


def ceiling(highest: float) -> float:
    """A round number at or above the highest value, for the end of an axis; 1 for an empty one."""
    if highest <= 0 or not math.isfinite(highest):
        return 1.0
    size = 10.0 ** math.floor(math.log10(highest))
    return next(step * size for step in _STEPS if step * size >= highest * (1 - 1e-9))


def ticks(axis: Axis, show: Callable[[float], str], *, parts: int = 4) -> list[Tick]:
    """Evenly spaced ticks with their words, both ends among them."""
    span = axis.high - axis.low
    values = [axis.low + span * part / parts for part in range(parts + 1)]
    return [Tick(axis.at(value), show(value)) for value in values]


def polyline(xs: Sequence[float], ys: Sequence[float], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.at(a)},{y.at(b)}" for a, b in zip(xs, ys, strict=True))


# Boxes and what ties them together.
BOX_WIDTH, BOX_HEIGHT, GAP = 196, 40, 12
_COLUMN_STEP = 262
LONGEST_LABEL = 26


@dataclass(frozen=True, slots=True)
class Node:
    """One box: whom or what it stands for, its kind in words, and whether fraud was confirmed there."""

    key: str
    column: int
    label: str
    kind: str
    alarm: bool = False
    here: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    label: str
    full: str
    kind: str
    alarm: bool
    here: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    boxes: list[Box]
    ties: list[Mark]
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


def lay_out(nodes: Sequence[Node], ties: Sequence[tuple[str, str]]) -> Drawing:
    """Columns of boxes, each in the middle of the height; a tie runs from the right of one box to the left of another."""
    columns = {column: [node for node in nodes if node.column == column] for column in {node.column for node in nodes}}
    tallest = max((len(column) for column in columns.values()), default=1)
    height = tallest * (BOX_HEIGHT + GAP) + GAP
    places: dict[str, tuple[float, float]] = {}
    boxes = []
    for number, column in sorted(columns.items()):
        start = (height - len(column) * (BOX_HEIGHT + GAP) + GAP) / 2
        for row, node in enumerate(column):
            x, y = 2.0 + number * _COLUMN_STEP, start + row * (BOX_HEIGHT + GAP)
            places[node.key] = (x, y)
            boxes.append(Box(x, y, shorten(node.label), node.label, node.kind, node.alarm, node.here))
    drawn = []
    for one, other in ties:
        (x, y), (to_x, to_y) = places[one], places[other]
        drawn.append(
            Mark(
                x + BOX_WIDTH,
                y + BOX_HEIGHT / 2,
                "tie",
                width=to_x - x - BOX_WIDTH,
                height=to_y - y,
            )
        )
    width = 4 + max(columns, default=0) * _COLUMN_STEP + BOX_WIDTH
    return Drawing(width, round(height), boxes, drawn)


def shorten(text: str) -> str:
    """Text that fits into a box."""
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1].rstrip() + "…"
