"""Users and API clients in the back office. The back office has no door of its own: everybody logs in at the portal."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.decorators import secure_admin_login
from axes.models import AccessAttempt
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from common.errors import NotFound
from identity import queries, services
from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from identity.models import ApiClient, Connection, User
from identity.permissions import Role

# One log-in for all doors, so that lockout and second factor hold at each of them.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def _change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    return HttpResponseRedirect(reverse("account_change_password"))


admin.site.password_change = _change_password  # type: ignore[method-assign,assignment]


class RolesForm(DecisionForm):
    roles = forms.MultipleChoiceField(
        choices=[(role.value, role.value.capitalize()) for role in Role],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="The user is signed out, so that the change holds at once.",
    )


class ClientForm(DecisionForm):
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    scopes = forms.MultipleChoiceField(choices=ApiClient.Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget)


class ConnectionForm(DecisionForm):
    field_order = ["email", "relation", "reason"]
    email = forms.EmailField(label="E-mail address of the person", widget=UnfoldAdminEmailInputWidget)
    relation = forms.ChoiceField(
        label="How you are connected", choices=Connection.Relation.choices, widget=UnfoldAdminSelectWidget
    )


class RoleFilter(admin.SimpleListFilter):
    """The users of one role."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.value, role.value.capitalize()) for role in Role]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Who can log in, as what, and what keeps them out. Nobody sets a password here: people reset their own."""

    view_permission = "user_view"
    list_display = ["email", "full_name", "role_names", "state", "date_joined", "last_login"]
    list_filter = [RoleFilter, "is_active", "is_staff", ("date_joined", admin.DateFieldListFilter)]
    search_fields = ["email__istartswith", "full_name__icontains"]
    ordering = ["email", "pk"]
    fieldsets = [
        (None, {"fields": ["email", "full_name", "public_id", "role_names", "state"]}),
        (
            "Log-in",
            {"fields": ["second_factor", "pin", "wrong_tries", "last_login", "password_changed_at", "date_joined"]},
        ),
        ("Recent sign-ins", {"fields": ["sign_ins"]}),
    ]
    readonly_fields = ["role_names", "state", "second_factor", "pin", "wrong_tries", "sign_ins"]
    actions_detail = ["assign_roles", "unlock_pin", "clear_lockout", "deactivate", "reactivate"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_urls(self) -> list[Any]:
        own = require_http_methods(["GET", "HEAD", "POST"])(self.admin_site.admin_view(self.own_sign_ins))
        return [path("own-sign-ins/", own, name="identity_user_own_sign_ins"), *super().get_urls()]

    def own_sign_ins(self, request: HttpRequest) -> HttpResponse:
        """Where the member of staff who asks is signed in; a POST ends one of these sign-ins, or all others.

        Open to all staff, as the portal's security page is to each customer. Somebody else's sign-in is a 404.
        """
        here = reverse("admin:identity_user_own_sign_ins")
        if request.method == "POST":
            self._end_own(request, request.POST.get("end", ""))
            return HttpResponseRedirect(here)
        request.crumb = "Your sign-ins"  # type: ignore[attr-defined]
        now, current = timezone.now(), request.session.session_key or ""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts if self.has_view_permission(request) else None,
            "title": "Your sign-ins",
            "sessions": queries.open_sessions(request.user, current=current, now=now),
            "sign_ins": queries.recent_sign_ins(request.user),
        }
        return TemplateResponse(request, "admin/identity/own_sign_ins.html", context)

    def _end_own(self, request: HttpRequest, what: str) -> None:
        """`what` is `others`, or the way and the key of one sign-in, such as `Browser 12`."""
        now = timezone.now()
        way, _, key = what.partition(" ")
        try:
            if what == "others":
                services.end_other_sign_ins(actor=request.user, now=now)
                update_session_auth_hash(request, User.objects.get(pk=request.user.pk))
                services.keep_browser_session(request=request)
            elif way == "Browser" and key.isascii() and key.isdigit() and len(key) < 19:
                services.end_browser_session(actor=request.user, session_id=int(key), now=now)
            elif way == "API":
                services.end_own_api_session(actor=request.user, session_id=uuid.UUID(key), now=now)
            else:
                raise Http404
        except (NotFound, ValueError) as error:
            raise Http404 from error
        done = "You are signed out everywhere but here." if what == "others" else "That sign-in has ended."
        messages.success(request, done)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The trail and the cases know people by their public id: from there one is led on to the page."""
        try:
            public_id = uuid.UUID(object_id)
        except ValueError:
            return super().change_view(request, object_id, form_url, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = get_object_or_404(User, public_id=public_id)
        return HttpResponseRedirect(reverse("admin:identity_user_change", args=[user.pk]))

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Managers of users, about somebody else."""
        return request.user.has_perm("identity.user_manage") and str(request.user.pk) != str(object_id)

    @display(description="roles")
    def role_names(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    @display(description="state", ordering="is_active", label={"Active": "success", "Inactive": "danger"})
    def state(self, user: User) -> str:
        return "Active" if user.is_active else "Inactive"

    @display(description="two-step verification", boolean=True)
    def second_factor(self, user: User) -> bool:
        return queries.has_second_factor(user)

    @display(description="transaction PIN")
    def pin(self, user: User) -> str:
        found = queries.pin_state(user)
        return "Locked" if found.is_locked else "Set" if found.is_set else "Not set"

    @display(description="wrong log-ins")
    def wrong_tries(self, user: User) -> str:
        attempts = AccessAttempt.objects.filter(username=user.email)
        rows = [f"{attempt.failures_since_start} from {attempt.ip_address}" for attempt in attempts[:10]]
        return ", ".join(rows) or "None lately"

    @display(description="newest first")
    def sign_ins(self, user: User) -> str:
        rows = [f"{row.at:%Y-%m-%d %H:%M} {row.device}, {row.how}, {row.ip}" for row in queries.recent_sign_ins(user)]
        return "; ".join(rows) or "None"

    @action(description="Assign roles", url_path="roles", permissions=["manage"], icon="badge")
    def assign_roles(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._user(request, object_id)
        return self._decide(
            request,
            user,
            title=f"Assign roles to {user}",
            confirm="Assign these roles",
            form_class=RolesForm,
            initial={"roles": queries.roles_of(user)},
            done=f"You changed the roles of {user}.",
            decide=lambda data: services.assign_roles(
                actor=request.user,
                user_id=user.public_id,
                roles=data["roles"],
                reason=data["reason"],
                now=timezone.now(),
            ),
        )

    @action(description="Unlock PIN", url_path="unlock-pin", permissions=["manage"], icon="lock_open")
    def unlock_pin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._user(request, object_id)
        return self._decide(
            request,
            user,
            title=f"Unlock the PIN of {user}",
            confirm="Unlock the PIN",
            done=f"You unlocked the PIN of {user}.",
            decide=lambda data: services.unlock_pin(actor=request.user, user_id=user.public_id, reason=data["reason"]),
        )

    @action(description="Clear lockout", url_path="clear-lockout", permissions=["manage"], icon="restart_alt")
    def clear_lockout(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._user(request, object_id)
        return self._decide(
            request,
            user,
            title=f"Let {user} try to log in again",
            confirm="Clear the lockout",
            done=f"{user} can try to log in again.",
            decide=lambda data: services.clear_lockout(
                actor=request.user, user_id=user.public_id, reason=data["reason"]
            ),
        )

    @action(description="Deactivate", url_path="deactivate", permissions=["manage"], icon="block")
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._user(request, object_id)
        return self._decide(
            request,
            user,
            title=f"Deactivate {user}",
            confirm="Deactivate the user",
            danger=True,
            note="Sessions, tokens and API keys of this user stop working at once.",
            done=f"You deactivated {user}.",
            decide=lambda data: services.deactivate_user(
                actor=request.user, user_id=user.public_id, reason=data["reason"], now=timezone.now()
            ),
        )

    @action(description="Reactivate", url_path="reactivate", permissions=["manage"], icon="check_circle")
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._user(request, object_id)
        return self._decide(
            request,
            user,
            title=f"Reactivate {user}",
            confirm="Reactivate the user",
            done=f"You reactivated {user}.",
            decide=lambda data: services.reactivate_user(
                actor=request.user, user_id=user.public_id, reason=data["reason"]
            ),
        )

    def _user(self, request: HttpRequest, object_id: str) -> User:
        user = self.get_object(request, object_id)
        if user is None or not self.has_view_permission(request):
            raise Http404
        assert isinstance(user, User)
        return user

    def _decide(self, request: HttpRequest, user: User, **page: Any) -> HttpResponse:
        facts = [
            ("E-mail address", user.email),
            ("Name", user.full_name),
            ("Roles", self.role_names(user)),
            ("State", "Active" if user.is_active else "Inactive"),
            ("Transaction PIN", self.pin(user)),
        ]
        return decision_page(
            self,
            request,
            permission="user_manage",
            facts=facts,
            back=reverse("admin:identity_user_change", args=[user.pk]),
            audit_subject=("user", user.public_id),
            **page,
        )


@admin.register(ApiClient)
class ApiClientAdmin(ReadOnlyAdmin):
    """Integrators' keys: what they may do and when they were last used. A secret is shown once, when it is made."""

    view_permission = "user_view"
    list_display = ["name", "key_id", "scope_names", "is_active", "created_at", "last_used_at"]
    list_filter = ["is_active"]
    search_fields = ["name__icontains", "key_id__istartswith"]
    ordering = ["name", "pk"]
    fields = ["name", "key_id", "scope_names", "is_active", "created_at", "last_used_at"]
    readonly_fields = ["scope_names"]
    actions_list = ["create"]
    actions_detail = ["revoke"]

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("identity.user_manage")

    @display(description="scopes")
    def scope_names(self, client: ApiClient) -> str:
        return ", ".join(client.scopes)

    @action(description="Create a client", url_path="create", permissions=["manage"], icon="add")
    def create(self, request: HttpRequest) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="user_manage",
            title="Create an API client",
            facts=[],
            confirm="Create the client",
            form_class=ClientForm,
            note="The key is shown once, on the next page. Hand it over by a safe way.",
            back=reverse("admin:identity_apiclient_changelist"),
            done=lambda issued: f"X-API-Key of {issued.client.name}, shown this once: {issued.key}",
            decide=lambda data: services.create_api_client(
                actor=request.user,
                name=data["name"],
                scopes=data["scopes"],
                reason=data["reason"],
                now=timezone.now(),
            ),
        )

    @action(description="Revoke", url_path="revoke", permissions=["manage"], icon="key_off")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.get_object(request, object_id)
        if client is None or not self.has_view_permission(request):
            raise Http404
        assert isinstance(client, ApiClient)
        client_id: uuid.UUID = client.pk
        return decision_page(
            self,
            request,
            permission="user_manage",
            title=f"Revoke the key of {client.name}",
            facts=[("Key", client.key_id), ("Scopes", ", ".join(client.scopes)), ("Last used", client.last_used_at)],
            confirm="Revoke the key",
            danger=True,
            back=reverse("admin:identity_apiclient_change", args=[client.pk]),
            audit_subject=("api_client", client.pk),
            done=f"You revoked the key of {client.name}.",
            decide=lambda data: services.revoke_api_client(
                actor=request.user, client_id=client_id, reason=data["reason"]
            ),
        )


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Whom members of staff declared to be close to. Nobody decides about a loan of such a person."""

    view_permission = "user_view"
    list_display = ["staff", "person", "relation", "declared_at", "standing"]
    list_filter = ["relation"]
    list_select_related = ["staff", "person"]
    search_fields = ["staff__full_name__icontains", "staff__email__icontains", "person__email__icontains"]
    ordering = ["-declared_at", "pk"]
    fields = ["staff", "person", "relation", "declared_at", "ended_at"]
    actions_list = ["declare"]
    actions_detail = ["end"]

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("identity.user_manage")

    def has_declare_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("identity.user_view")

    @display(description="state", label={"Holds": "warning", "Ended": "info"})
    def standing(self, connection: Connection) -> str:
        return "Holds" if connection.ended_at is None else "Ended"

    @action(description="Declare somebody close to you", url_path="declare", permissions=["declare"], icon="add")
    def declare(self, request: HttpRequest) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="user_view",
            title="Declare somebody close to you",
            facts=[],
            confirm="Declare",
            form_class=ConnectionForm,
            note="A relative, somebody of your household, or a partner in business. You then decide nothing about a loan of "
            "theirs, and they about none of yours. An administrator ends the declaration when it no longer holds.",
            back=reverse("admin:identity_connection_changelist"),
            done=lambda made: f"You declared {made.person}.",
            decide=lambda data: services.declare_connection(
                actor=request.user,
                email=data["email"],
                relation=data["relation"],
                reason=data["reason"],
                now=timezone.now(),
            ),
        )

    @action(description="End", url_path="end", permissions=["manage"], icon="link_off")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request):
            raise Http404
        assert isinstance(found, Connection)
        connection_id: uuid.UUID = found.pk
        return decision_page(
            self,
            request,
            permission="user_manage",
            title=f"End the declaration of {found.staff}",
            facts=[("Declared by", found.staff), ("Person", found.person), ("As", found.get_relation_display())],
            confirm="End it",
            danger=True,
            note="From then on they may decide about each other's loans.",
            back=reverse("admin:identity_connection_change", args=[found.pk]),
            audit_subject=("user", found.staff.public_id),
            done="You ended the declaration.",
            decide=lambda data: services.end_connection(
                actor=request.user, connection_id=connection_id, reason=data["reason"], now=timezone.now()
            ),
        )
