"""What a Django team would start from: the middleware of `startproject`, Django REST framework, Simple JWT as it comes.

Same database, user model and tokens as the bank; none of its own plumbing. Served only to be measured beside the bank.
"""

from __future__ import annotations

from bankportal.settings import *  # noqa: F403
from bankportal.settings import DATABASES as _DATABASES
from bankportal.settings import SIMPLE_JWT as _TOKENS

ROOT_URLCONF = "bankportal.bench.bare_urls"
DATABASES = {"default": {**_DATABASES["default"], "ENGINE": "django.db.backends.postgresql"}}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Without it the app that holds the users does not start.
    "allauth.account.middleware.AccountMiddleware",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
# Its claim is made in the bank's own way.
SIMPLE_JWT = {**_TOKENS, "CHECK_REVOKE_TOKEN": False}
