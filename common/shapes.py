"""Shapes of the busiest operations: REST framework's serializers, laid out once for each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field, SkipField, empty, get_error_detail
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from common.rest import MoneyTextField

T = TypeVar("T")
_TEXTS = (serializers.CharField, MoneyTextField)
# Fields that decide for themselves where a value comes from; a class with one of these works as REST framework made it.
_UNUSUAL = (serializers.HiddenField, serializers.RelatedField, serializers.ManyRelatedField)
# What a look at plain text answers.
_LOOKED_AT = {MaxLengthValidator, ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator}
_SKIPPED = object()


class Shape(serializers.Serializer[T]):
    """A serializer that is not made anew: `TransferIn.read(request.data)` and `PaymentOut.show(payment)`.

    REST framework copies the fields of a class for each instance and asks each of them again what it is, which takes longer
    than all they do. Each new instance also writes to the class of all fields, at which Python forgets what it had found
    out about them. For shapes that know no context; they show objects with plain attributes.
    """

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """What a body says. Raises ValidationError with what is wrong, field by field."""
        if type(data) is not dict:
            whole = cls(data=data)
            whole.is_valid(raise_exception=True)
            return dict(whole.validated_data)
        return dict(_kept(cls).run_validation(data))

    @classmethod
    def show(cls, instance: T) -> dict[str, Any]:
        """The document of one object."""
        return dict(_kept(cls).to_representation(instance))

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        readers = _readers(type(self)) if type(data) is dict else None
        if readers is None:
            return dict(super().to_internal_value(data))
        values: dict[str, Any] = {}
        faults: dict[str, Any] = {}
        for name, read, absent in readers:
            given = data.get(name, empty)
            if given is empty and absent is not empty:
                if absent is not _SKIPPED:
                    values[name] = absent
                continue
            try:
                values[name] = read(given)
            except ValidationError as fault:
                faults[name] = fault.detail
            except DjangoValidationError as fault:
                faults[name] = get_error_detail(fault)
            except SkipField:
                pass
        if faults:
            raise ValidationError(faults)
        return values

    def run_validators(self, value: Any) -> None:
        if self.validators:
            super().run_validators(value)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        showers = None if isinstance(instance, Mapping) else _showers(type(self))
        if showers is None:
            return dict(super().to_representation(instance))
        shown: dict[str, Any] = {}
        for name, get, show, field in showers:
            try:
                value = get(instance)
            except AttributeError:
                try:
                    value = field.get_attribute(instance)
                except SkipField:
                    continue
            shown[name] = None if value is None else show(value)
        return shown


class _Reader(NamedTuple):
    """How one field is read. `absent` is its value when it is left out: `_SKIPPED` for none, `empty` when `read` has to say."""

    name: str
    read: Callable[[Any], Any]
    absent: Any


class _Shower(NamedTuple):
    """How one field is shown; the field itself knows what to do when the attribute is not there."""

    name: str
    get: Callable[[Any], Any]
    show: Callable[[Any], Any]
    field: Field[Any, Any, Any, Any]


@cache
def _kept(shape: type[Shape[Any]]) -> Shape[Any]:
    """The one instance whose fields do the work; it holds nothing that a caller sent."""
    return shape()


@cache
def _readers(shape: type[Shape[Any]]) -> list[_Reader] | None:
    fields = [field for field in _kept(shape).fields.values() if not field.read_only]
    plain = all(
        field.source_attrs == [name] and not isinstance(field, _UNUSUAL) and not hasattr(shape, f"validate_{name}")
        for field in fields
        if (name := str(field.field_name))
    )
    return [_Reader(str(field.field_name), _reading(field), _absent(field)) for field in fields] if plain else None


def _absent(field: Field[Any, Any, Any, Any]) -> Any:
    if field.required or callable(field.default):
        return empty
    return _SKIPPED if field.default is empty else field.default


def _reading(field: Any) -> Callable[[Any], Any]:
    """Plain text in order needs no more than a look; the field itself judges everything else."""
    by_field: Callable[[Any], Any] = field.run_validation
    if type(field) not in _TEXTS or not _is_plain_text(field):
        return by_field
    most = field.max_length

    def read(given: Any) -> Any:
        if type(given) is str and given.isascii() and "\0" not in given:
            text = given.strip()
            if text and (most is None or len(text) <= most):
                return text
        return by_field(given)

    return read


def _is_plain_text(field: Any) -> bool:
    return bool(field.trim_whitespace) and {type(validator) for validator in field.validators} <= _LOOKED_AT


@cache
def _showers(shape: type[Shape[Any]]) -> list[_Shower] | None:
    fields = [field for field in _kept(shape).fields.values() if not field.write_only]
    if any(isinstance(field, _UNUSUAL) for field in fields):
        return None
    return [_Shower(str(field.field_name), _getting(field), _showing(field), field) for field in fields]


def _getting(field: Field[Any, Any, Any, Any]) -> Callable[[Any], Any]:
    if field.source_attrs and type(field).get_attribute is Field.get_attribute:
        return attrgetter(".".join(field.source_attrs))
    return field.get_attribute


def _showing(field: Any) -> Callable[[Any], Any]:
    is_text = type(field).to_representation is serializers.CharField.to_representation
    is_id = type(field) is serializers.UUIDField and field.uuid_format == "hex_verbose"
    return str if is_text or is_id else field.to_representation
