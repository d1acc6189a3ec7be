"""The bank's settings, except that static files come from where they are written: collecting them takes too long here."""

from bankportal.settings import *  # noqa: F403
from bankportal.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
