"""All settings of the bank. Values come from the environment through `bankportal.env`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from whitenoise.compress import Compressor

from bankportal import env
from bankportal.unfold import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent

# --- What this installation is -------------------------------------------------------------------
SITE_NAME = env.text("SITE_NAME", default="Bankportal")
BASE_URL = env.address(
    "BASE_URL",
    schemes=("http", "https"),
    kind="the portal's own address such as https://bank.example",
    default="http://127.0.0.1:8000",
).rstrip("/")
BASE_CURRENCY = env.text("BASE_CURRENCY", default="EUR")
# A sandbox has a funding source that mints play money, a mailbox in the browser and simulated locations.
SANDBOX = env.boolean("SANDBOX", default=False)
# The password of every demo login; made by `run.py`, used by `seed_demo` only.
DEMO_PASSWORD = env.text("DEMO_PASSWORD", default="")
DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", length=50)
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS", default=[])
# How many proxies of our own stand in front: only so many trailing X-Forwarded-For entries are believed.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", default=0)
# A header in which such a proxy tells the caller's country (for example CF-IPCountry); empty: from the address.
COUNTRY_HEADER = env.text("COUNTRY_HEADER", default="")

ROOT_URLCONF = "bankportal.urls"
WSGI_APPLICATION = "bankportal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "insights",
    "payments",
    "loans",
    "reconciliation",
    "accounts",
    "kyc",
    "fraud",
    "ledger",
    "notifications",
    "audit",
    "identity",
    "common",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    # Last: its post_migrate step needs every other app's tables, permissions and content types.
    "bankportal",
]

MIDDLEWARE = [
    "common.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.middleware.ContentSecurityPolicyMiddleware",
    "common.middleware.BrowserSafetyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "identity.middleware.SessionLifetimeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "identity.middleware.StaffSecondFactorMiddleware",
    "identity.middleware.OpenFormLimitMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bankportal.context.site",
                "notifications.context.unread",
            ],
        },
    },
]

# --- PostgreSQL, the only truth --------------------------------------------------------------------
# DATABASE_URL is the runtime login. Migrations run with the owner's address in the same variable.
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.database("DATABASE_URL"),
        "ENGINE": "common.postgres",
        "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# Plans are kept by each connection; off behind a pooler that deals out connections by the transaction.
DATABASE_PREPARE = env.boolean("DATABASE_PREPARE", default=True)
DATABASE_RUNTIME_ROLE = env.text("DATABASE_RUNTIME_ROLE", default="bankportal_app")

# --- Redis protocol: cache and limits; Celery's broker is its own address ---------------------------
REDIS_URL = env.address(
    "REDIS_URL", schemes=("redis", "rediss", "unix"), kind="a Redis address such as redis://host:6379/0"
)
CACHES = {
    "default": {
        "BACKEND": "common.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "bankportal",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
CELERY_BROKER_URL = env.address(
    "CELERY_BROKER_URL",
    schemes=("redis", "rediss", "redis+socket", "amqp", "amqps", "pyamqp"),
    kind="a Redis or RabbitMQ address such as redis://host:6379/1 or amqp://user:password@host/vhost",
)

# --- Kafka: transactions of outside gateways as a stream (manage.py consume_transactions); empty without one ----------
KAFKA_BOOTSTRAP_SERVERS = env.text("KAFKA_BOOTSTRAP_SERVERS", default="")
_kafka = {
    "security.protocol": env.text("KAFKA_SECURITY_PROTOCOL", default=""),
    "sasl.mechanism": env.text("KAFKA_SASL_MECHANISM", default=""),
    "sasl.username": env.text("KAFKA_SASL_USERNAME", default=""),
    "sasl.password": env.text("KAFKA_SASL_PASSWORD", default=""),
    "ssl.ca.location": env.text("KAFKA_SSL_CA_LOCATION", default=""),
}
KAFKA_SECURITY = {name: value for name, value in _kafka.items() if value}

# Money movements of one person, through page and API together; an integrator's key gets twenty times as many.
TRANSFERS_PER_MINUTE = env.number("TRANSFERS_PER_MINUTE", default=30, minimum=1)
# Calls of the fraud API by one gateway.
FRAUD_CALLS_PER_MINUTE = env.number("FRAUD_CALLS_PER_MINUTE", default=30_000, minimum=1)

# --- Files -------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", default=str(BASE_DIR / ".local" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGE_ROOT = env.text("STORAGE_ROOT", default=str(BASE_DIR / ".local" / "storage"))
_bucket = env.s3_bucket()
if _bucket is not None:
    _private = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {**_bucket, "querystring_auth": True, "file_overwrite": False},
    }
else:
    _private = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": STORAGE_ROOT,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
STORAGES = {
    "default": _private,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Source maps are for a developer's tools: compressing the API pages' was half of what static files cost at the first start.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
# ClamAV's daemon looks at every document where one is set: unix:///run/clamav/clamd.ctl or tcp://host:3310.
CLAMD_URL = env.optional_address("CLAMD_URL", schemes=("unix", "tcp"), kind="unix:///PATH or tcp://HOST:PORT")
# Heads of the sealed trails: the proof that no tail was cut off, as long as somebody carries them elsewhere.
SEALS_ROOT = env.text("SEALS_ROOT", default=str(Path(STORAGE_ROOT).parent / "seals"))
# Enough for one document and its form; the KYC limits are below this.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
REQUEST_BODY_MAX_BYTES = 12 * 1024 * 1024

# --- People and sessions -------------------------------------------------------------------------------
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
# A standing order without enough money is tried this often, this far apart, before the customer is told.
STANDING_ORDER_ATTEMPTS = env.number("STANDING_ORDER_ATTEMPTS", default=3, minimum=1)
STANDING_ORDER_RETRY_MINUTES = env.number("STANDING_ORDER_RETRY_MINUTES", default=240, minimum=1)
PASSWORD_MIN_LENGTH = env.number("PASSWORD_MIN_LENGTH", default=15, minimum=8)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH},
    },
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "identity.forms.ContextWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/overview/"
LOGOUT_REDIRECT_URL = "/"

COOKIE_SECURE = env.boolean("COOKIE_SECURE", default=True)
_PREFIX = "__Host-" if COOKIE_SECURE else ""
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_NAME = f"{_PREFIX}session"
SESSION_COOKIE_SECURE = COOKIE_SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_IDLE_SECONDS = env.number("SESSION_IDLE_SECONDS", default=300, minimum=60)
STAFF_SESSION_IDLE_SECONDS = env.number("STAFF_SESSION_IDLE_SECONDS", default=1800, minimum=60)
SESSION_ABSOLUTE_SECONDS = env.number("SESSION_ABSOLUTE_SECONDS", default=12 * 3600, minimum=300)
# Staff must hold a second factor; a sandbox may do without, so that its printed logins work as they are.
STAFF_MFA_REQUIRED = env.boolean("STAFF_MFA_REQUIRED", default=not SANDBOX)
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
CSRF_COOKIE_SECURE = COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "bankportal.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

ACCOUNT_ADAPTER = "identity.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "identity.forms.SignupDetails"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# The link to a new password, in seconds; the mail says so.
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
# What happens to an account is told through the outbox.
ACCOUNT_EMAIL_NOTIFICATIONS = False
# One address: a new one replaces the old one once it is verified.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BASE_URL.startswith("https") else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
MFA_FORMS = {
    "authenticate": "identity.forms.SecondFactorForm",
    "reauthenticate": "identity.forms.SecondFactorAgainForm",
}

AXES_VERBOSE = False
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "identity.lockout.account_of"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "identity.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["password", "pin"]
AXES_CLIENT_IP_CALLABLE = "common.middleware.client_ip"

# --- Mail ------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <no-reply@bankportal.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
if env.text("EMAIL_URL", default=""):
    _mail = env.email("EMAIL_URL")
    EMAIL_BACKEND = str(_mail["EMAIL_BACKEND"])
    EMAIL_HOST = _mail["EMAIL_HOST"]
    EMAIL_PORT = _mail["EMAIL_PORT"]
    EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
    EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = bool(_mail.get("EMAIL_USE_TLS", False))
    EMAIL_USE_SSL = bool(_mail.get("EMAIL_USE_SSL", False))
    EMAIL_TIMEOUT = 10
else:
    # Without an address, mail is kept in the database; a sandbox shows it in the browser.
    EMAIL_BACKEND = "notifications.mail.MailboxBackend"

# --- API ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "identity.authentication.JwtAuthentication",
        "identity.authentication.ApiKeyAuthentication",
        "identity.authentication.BasicKeyAuthentication",
        "identity.authentication.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "identity.authentication.ScopedKeys",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.parsers.JsonBody"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.negotiation.JsonFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "common.rest.problem_handler",
    "DEFAULT_VERSIONING_CLASS": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
    "REVOKE_TOKEN_CLAIM": "cred",
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "ISSUER": "bankportal",
    "AUDIENCE": "bankportal-api",
    "USER_ID_FIELD": "public_id",
    "USER_ID_CLAIM": "sub",
    "AUTH_HEADER_TYPES": ("Bearer",),
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Onboard customers, hold accounts, move money. "
    "Errors are RFC 9457 problem documents with a stable `code`.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Fields called `status` and `kind` have other values in each of these.
    "ENUM_NAME_OVERRIDES": {
        "PaymentStatusEnum": "payments.models.Status",
        "StandingOrderStatusEnum": "payments.models.StandingOrder.Status",
        "StandingOrderKindEnum": ["TRANSFER", "OWN_TRANSFER", "WITHDRAWAL"],
        "BulkFileStatusEnum": "payments.models.BulkFile.Status",
        "DocumentKindEnum": "kyc.models.Document.Kind",
    },
}

# --- Browser safety ------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}
# Pages of libraries need more; each prefix gets just what its pages were seen to use.
CONTENT_SECURITY_POLICY_BY_PREFIX = {
    # Alpine in django-unfold evaluates expressions and sets style attributes; previews are framed from our own address.
    "/admin/": {
        "script-src": [SELF, NONCE, "'unsafe-eval'"],
        "style-src": [SELF, "'unsafe-inline'"],
        "frame-src": [SELF],
    },
    "/api/docs/": {"script-src": [SELF, NONCE], "style-src": [SELF, "'unsafe-inline'"]},
    "/api/redoc/": {
        "script-src": [SELF, NONCE],
        "style-src": [SELF, "'unsafe-inline'"],
        "worker-src": [SELF, "blob:"],
        "img-src": [SELF, "data:"],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = env.boolean("SECURE_SSL_REDIRECT", default=BASE_URL.startswith("https"))
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Language, time, logs --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["bankportal.formats"]
LOG_LEVEL = env.choice("LOG_LEVEL", options=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "common.logs.ContextFilter"}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(ip)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["context"]}},
    "loggers": {"pikepdf": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
SILENCED_SYSTEM_CHECKS: list[str] = []
