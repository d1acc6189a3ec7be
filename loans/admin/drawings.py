"""How the months' loans do, drawn: the share that was ever thirty days late."""

from __future__ import annotations

from collections.abc import Sequence

from fraud.rules.drawing import LEFT, RIGHT, WIDTH, Chart, Mark, Tick, ceiling, ticks, upwards
from loans.queries.portfolio import Vintage

_WIDEST = 48


def vintages(found: Sequence[Vintage]) -> Chart | None:
    """A bar for each month, the oldest first; None when nothing was lent yet."""
    if not found:
        return None
    worst = max(found, key=lambda each: each.late_percent)
    y = upwards(ceiling(max(worst.late_percent, 5.0)))
    slot = (WIDTH - LEFT - RIGHT) / len(found)
    width = min(slot * 0.6, _WIDEST)
    middles = [LEFT + slot * (place + 0.5) for place in range(len(found))]
    # Twelve months' names do not fit side by side on a phone: with many every second one is named.
    named = 1 if len(found) <= 6 else 2
    return Chart(
        title="Ever 30 days late",
        note="by the month in which the loan was paid out",
        summary=(
            f"The worst month is {worst.month:%B %Y}: {worst.late_percent} % of its {worst.loans} loans were ever 30 days late."
            if worst.late_percent
            else "No loan of these months was ever 30 days late."
        ),
        # The first and the last tick are written inwards: they stay empty, so that names stand below their bars.
        x_ticks=[
            Tick(LEFT, ""),
            *(
                Tick(round(middle, 1), f"{each.month:%b %y}" if place % named == 0 else "")
                for place, (each, middle) in enumerate(zip(found, middles, strict=True))
            ),
            Tick(WIDTH - RIGHT, ""),
        ],
        y_ticks=ticks(y, lambda value: f"{value:g} %"),
        bars=[
            Mark(
                round(middle - width / 2, 1),
                y.at(each.late_percent),
                "accent",
                f"{each.month:%B %Y}: {each.late_percent} % of {each.loans} loans",
                width=round(width, 1),
                height=round(y.start - y.at(each.late_percent), 1),
            )
            for each, middle in zip(found, middles, strict=True)
        ],
    )
