"""The features of a payment: their table, their arithmetic, and their replay over a whole history."""

from fraud.rules.features.arithmetic import Past, derive, numbers
from fraud.rules.features.kinds import Feature, Kind, Value, Vector
from fraud.rules.features.table import (
    ENTITY_FEATURES,
    FEATURES,
    MODEL_FEATURES,
    SCHEMA_HASH,
    VECTOR_FEATURES,
)

__all__ = [
    "ENTITY_FEATURES",
    "FEATURES",
    "MODEL_FEATURES",
    "SCHEMA_HASH",
    "VECTOR_FEATURES",
    "Feature",
    "Kind",
    "Past",
    "Value",
    "Vector",
    "derive",
    "numbers",
]
