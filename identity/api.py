"""The identity API: register, sign in and out, oneself, the PIN."""

from __future__ import annotations

from django.contrib.auth import authenticate, logout
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import Token

from common import throttle
from common.rest import ApiView, ProblemSerializer
from identity import queries, serializers, services

TAGS = ["auth"]
_TOKENS = OpenApiExample(
    "Tokens",
    value={"access": "eyJ…", "refresh": "eyJ…", "token_type": "Bearer", "expires_in": 300},
    response_only=True,
)


def _tokens(tokens: services.Tokens) -> Response:
    body = {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
    }
    return Response(serializers.TokenOutput(body).data)


class Register(ApiView):
    """Open to everybody: this is how one becomes known."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (throttle.by_address(throttle.REGISTRATIONS),)

    @extend_schema(
        operation_id="auth_register",
        summary="Register a customer",
        description="Answers alike for new and known addresses; what happens next is in the mailbox of the address.",
        tags=TAGS,
        request=serializers.RegisterInput,
        responses={
            202: serializers.RegisterOutput,
            400: ProblemSerializer,
            422: ProblemSerializer,
            429: ProblemSerializer,
        },
        examples=[
            OpenApiExample(
                "Register",
                value={
                    "email": "asha@example.com",
                    "password": "four unrelated words here",
                    "full_name": "Asha Rao",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = serializers.RegisterInput(data=request.data)
        form.is_valid(raise_exception=True)
        services.request_registration(**form.validated_data, now=timezone.now())
        return Response({"detail": "We wrote to this address. Follow the link in the mail."}, status=202)


class ObtainToken(ApiView):
    """Open to everybody: password and second factor are checked here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (throttle.by_address(throttle.SIGN_INS_BY_ADDRESS),)

    @extend_schema(
        operation_id="auth_token",
        summary="Sign in",
        description="A user with two-step verification sends the code as `otp`.",
        tags=TAGS,
        request=serializers.TokenInput,
        responses={
            200: serializers.TokenOutput,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: ProblemSerializer,
            429: ProblemSerializer,
        },
        examples=[_TOKENS],
    )
    def post(self, request: Request) -> Response:
        form = serializers.TokenInput(data=request.data)
        form.is_valid(raise_exception=True)
        email = form.validated_data["email"].strip().lower()
        services.guard_sign_in(email=email)
        user = authenticate(request._request, username=email, password=form.validated_data["password"])
        if user is None:
            # After too many wrong tries axes replaces this answer by `identity.lockout.locked_out`.
            raise services.BadCredentials
        return _tokens(services.sign_in_to_api(user=user, otp=form.validated_data["otp"], now=timezone.now()))


class RefreshToken(ApiView):
    """Open to everybody: the refresh token is the proof."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (throttle.by_address(throttle.TOKEN_REFRESHES),)

    @extend_schema(
        operation_id="auth_token_refresh",
        summary="Renew the tokens",
        description="Each refresh token works once. Used twice, the whole sign-in ends.",
        tags=TAGS,
        request=serializers.RefreshInput,
        responses={200: serializers.TokenOutput, 400: ProblemSerializer, 401: ProblemSerializer},
        examples=[_TOKENS],
    )
    def post(self, request: Request) -> Response:
        form = serializers.RefreshInput(data=request.data)
        form.is_valid(raise_exception=True)
        return _tokens(services.refresh_api_session(refresh=form.validated_data["refresh"], now=timezone.now()))


class Logout(ApiView):
    @extend_schema(
        operation_id="auth_logout",
        summary="Sign out",
        description="Access and refresh token of this sign-in are refused from now on.",
        tags=TAGS,
        request=None,
        responses={204: None, 401: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        if isinstance(request.auth, Token):
            session_id = str(request.auth[services.SESSION_CLAIM])
            services.end_api_session(session_id=session_id, actor=request.user, now=timezone.now())
        elif request.auth is None:
            logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Me(ApiView):
    @extend_schema(
        operation_id="auth_me",
        summary="Who am I",
        tags=TAGS,
        responses={200: serializers.MeOutput, 401: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response(serializers.MeOutput(queries.about_me(request.user)).data)


class Profile(ApiView):
    @extend_schema(
        operation_id="users_profile",
        summary="My profile",
        tags=["users"],
        responses={200: serializers.UserOutput, 401: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response(serializers.UserOutput(request.user).data)

    @extend_schema(
        operation_id="users_profile_change",
        summary="Change my name",
        tags=["users"],
        request=serializers.ProfileInput,
        responses={200: serializers.UserOutput, 400: ProblemSerializer, 401: ProblemSerializer, 422: ProblemSerializer},
        examples=[OpenApiExample("Name", value={"full_name": "Asha Rao"}, request_only=True)],
    )
    def patch(self, request: Request) -> Response:
        form = serializers.ProfileInput(data=request.data)
        form.is_valid(raise_exception=True)
        services.change_name(actor=request.user, full_name=form.validated_data["full_name"])
        return Response(serializers.UserOutput(request.user).data)


class Pin(ApiView):
    throttle_classes = (throttle.by_user(throttle.PIN_CHANGES),)

    @extend_schema(
        operation_id="users_pin",
        summary="Set my transaction PIN",
        description="Needs the password; a new PIN also unlocks a locked one.",
        tags=["users"],
        request=serializers.PinInput,
        responses={
            204: None,
            400: ProblemSerializer,
            401: ProblemSerializer,
            422: ProblemSerializer,
            429: ProblemSerializer,
        },
        examples=[
            OpenApiExample("PIN", value={"pin": "8305", "password": "four unrelated words here"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        form = serializers.PinInput(data=request.data)
        form.is_valid(raise_exception=True)
        services.change_pin(actor=request.user, now=timezone.now(), **form.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)
