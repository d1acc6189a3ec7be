"""How a vector is kept: its values in the order of the table, behind the name of that order.

The names of the features would be two thirds of what each decision writes. Decisions of before keep theirs as an object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from fraud.rules.features.kinds import Value, Vector
from fraud.rules.features.table import FEATURES


def order_of(names: Sequence[str]) -> str:
    """What an order of features is called."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]


_NAMES = tuple(FEATURES)
_values = itemgetter(*_NAMES)
ORDER = order_of(_NAMES)
# Orders of tables that stored vectors were made with before the present one: `order_of` and the names.
FORMER_ORDERS: Mapping[str, tuple[str, ...]] = {}
_ORDERS = {**FORMER_ORDERS, ORDER: _NAMES}


class UnknownOrder(ValueError):
    """A stored vector of a table that nobody knows any more."""


def to_stored(vector: Vector) -> list[Value] | dict[str, Value]:
    """A whole vector as a list; one that is not whole, such as the empty one of a payment that was not screened, as it is."""
    if len(vector) == len(_NAMES):
        try:
            return [ORDER, *_values(vector)]
        except KeyError:
            pass
    return dict(vector)


def from_stored(stored: Any) -> Any:
    """The vector by the names of its features. Raises UnknownOrder."""
    if not isinstance(stored, list):
        return stored
    order, *values = stored
    if order not in _ORDERS:
        raise UnknownOrder(f"nobody knows the order {order}")
    return dict(zip(_ORDERS[order], values, strict=True))
