"""Users, their transaction PIN, and the API clients of integrators."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from identity.permissions import PERMISSIONS


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Store a user under the lower-case address; no password makes the account unable to log in."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person (or the service user of an API client) who can log in. Personal data belongs to kyc."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    full_name = models.CharField("name", max_length=150, blank=True)
    is_active = models.BooleanField("active", default=True)
    is_staff = models.BooleanField("staff", default=False, help_text="Can enter the back office.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    password_changed_at = models.DateTimeField(null=True, editable=False)
    # Part of what a session and a token are bound to: raising it ends them all.
    sign_in_epoch = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    # What the API key of this very request adds to the user's own permissions; never stored.
    key_permissions: frozenset[str] = frozenset()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        default_permissions = ()
        permissions = list(PERMISSIONS.items())
        constraints = [
            models.UniqueConstraint(Lower("email"), name="identity_user_email_unique"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="identity_user_email_lowercase"),
        ]
        # Much refers to users without a constraint of its own (`db_constraint=False`), because of these.
        triggers = [
            pgtrigger.Protect(name="user_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="user_keeps_ids", fields=["id", "public_id"]),
        ]

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        bound = f"{self.password}\n{self.sign_in_epoch}"
        return salted_hmac("identity.session", bound, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0] if self.full_name else self.email


class TransactionPin(models.Model):
    """The second secret that moves money: hashed, locked after too many wrong tries."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="pin")
    hashed = models.CharField(max_length=200)
    failed_count = models.PositiveSmallIntegerField(default=0)
    locked_at = models.DateTimeField(null=True)
    set_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"PIN {self.pk}"


class SecondFactorTries(models.Model):
    """How often codes of a user were tried lately, counted under a row lock; and the last one that was right."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor_tries")
    count = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()
    used_digest = models.CharField(max_length=64, blank=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Second factor {self.pk}"


class ApiSession(models.Model):
    """One sign-in to the API: every token of it names it, and all die with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_sessions")
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"API session {self.pk}"


class Connection(models.Model):
    """Somebody whom a member of staff is close to, as declared by them: they decide nothing about each other."""

    class Relation(models.TextChoices):
        PARTNER = "PARTNER", "Husband, wife or partner"
        PARENT = "PARENT", "Parent"
        CHILD = "CHILD", "Child"
        SIBLING = "SIBLING", "Brother or sister"
        OTHER_RELATIVE = "OTHER_RELATIVE", "Another relative"
        HOUSEHOLD = "HOUSEHOLD", "Lives in the same household"
        BUSINESS = "BUSINESS", "Business together"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    staff = models.ForeignKey(User, on_delete=models.PROTECT, related_name="connections")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    relation = models.CharField(max_length=14, choices=Relation)
    declared_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="identity_connection_others", condition=~Q(staff=F("person"))),
            models.UniqueConstraint(
                fields=["staff", "person"], condition=Q(ended_at__isnull=True), name="identity_connection_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.relation} {self.pk}"


class ApiClient(models.Model):
    """Credentials of an integrator: a key id, a hashed secret, scopes, and the service user it acts as."""

    class Scope(models.TextChoices):
        DEPOSITS_WRITE = "deposits:write", "Post deposits"
        HOLDS_WRITE = "holds:write", "Reserve money on customers' accounts and take it"
        FRAUD_SCORE = "fraud:score", "Have transactions checked for fraud"
        FRAUD_DECIDE = "fraud:decide", "Decide about held transactions, this bank's payments included"
        FRAUD_CONFIGURE = "fraud:configure", "Switch fraud features, draft fraud rules and try them on the past"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    key_id = models.CharField(max_length=24, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_clients")
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"
