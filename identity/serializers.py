"""Inputs and outputs of the identity API, apart from each other."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class RegisterInput(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    full_name = serializers.CharField(max_length=150)


class RegisterOutput(serializers.Serializer[Any]):
    detail = serializers.CharField()


class TokenInput(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    otp = serializers.CharField(
        max_length=20, required=False, allow_blank=True, default="", help_text="Code of the authenticator app."
    )


class RefreshInput(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4000)


class TokenOutput(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds the access token lives.")


class PinInput(serializers.Serializer[Any]):
    pin = serializers.CharField(max_length=20, write_only=True, help_text="4 to 6 digits.")
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class ProfileInput(serializers.Serializer[Any]):
    full_name = serializers.CharField(max_length=150)


class UserOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    email = serializers.EmailField()
    full_name = serializers.CharField()


class MeOutput(UserOutput):
    roles = serializers.ListField(child=serializers.CharField())
    pin_is_set = serializers.BooleanField()
    pin_is_locked = serializers.BooleanField()
    has_second_factor = serializers.BooleanField()
