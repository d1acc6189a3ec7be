"""Roles as groups with the permissions of the one table."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from identity.permissions import ROLE_PERMISSIONS


def ensure() -> None:
    """Make the groups and their permissions equal to the table; anything else they held is taken away."""
    create_permissions(apps.get_app_config("identity"), verbosity=0)
    held = {
        permission.codename: permission
        for permission in Permission.objects.filter(content_type__app_label="identity", content_type__model="user")
    }
    for role, codenames in ROLE_PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.set([held[codename] for codename in sorted(codenames)])
