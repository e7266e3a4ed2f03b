"""All settings, driven by the environment. What is missing is said loudly; `NAME_FILE` gives a secret by file."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def secret(name: str, default: str | None = None) -> str:
    """A secret from `NAME_FILE` or `NAME`; raises ImproperlyConfigured where neither is set."""
    if path := env.str(f"{name}_FILE", default=""):
        return Path(path).read_text().strip()
    value = env.str(name, default=default)  # type: ignore[arg-type]
    if value is None:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE. `make run` sets everything by itself.")
    return value


IOTPANEL_HOME = Path(env.str("IOTPANEL_HOME", default=str(BASE_DIR / ".iotpanel"))).absolute()
DEBUG = env.bool("IOTPANEL_DEBUG", default=False)
SECRET_KEY = secret("IOTPANEL_SECRET_KEY", default="only-for-commands-that-need-no-secret" if DEBUG else None)

# --- Where it is reached -------------------------------------------------------------------------------------
PORT = env.int("IOTPANEL_PORT", default=8000)
BIND = env.str("IOTPANEL_BIND", default="127.0.0.1")
# Bound to the network without names given, any name must do: a board reaches the machine by its address.
ALLOWED_HOSTS = env.list("IOTPANEL_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if BIND == "127.0.0.1" else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("IOTPANEL_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("IOTPANEL_HTTPS", default=False)  # behind a proxy that terminates TLS
TRUSTED_PROXIES = env.int("IOTPANEL_TRUSTED_PROXIES", default=0)  # how many entries of X-Forwarded-For are ours
MQTT_HOST = env.str("IOTPANEL_MQTT_HOST", default="")  # what the Connect page shows; empty: derived
MQTT_PORT = env.int("IOTPANEL_MQTT_PORT", default=1883)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "iotpanel_session"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- Apps ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "iotpanel.pages",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "import_export",
    "auditlog",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "iotpanel.tenants",
    "devices",
    "telemetry",
]
AUTH_USER_MODEL = "tenants.User"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "iotpanel.urls"
ASGI_APPLICATION = "iotpanel.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Data ----------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://iotpanel@127.0.0.1/iotpanel")}
DATABASES["default"]["ENGINE"] = "telemetry.stores.backend"
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "iotpanel"}}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL], "prefix": "iotpanel"}}
}

# --- Uplink --------------------------------------------------------------------------------------------------
MQTT_URL = env.str("MQTT_URL", default="mqtt://127.0.0.1:1884")  # the workers' own listener
# Where the broker reads its accounts; empty where the broker asks us by HTTP instead.
BROKER_DIR = env.str("IOTPANEL_BROKER_DIR", default="")
# Called with the reports of a batch in the batch's transaction (dotted paths); how upper apps see the uplink.
UPLINK_SINKS: list[str] = []
# Called with changes outside a batch (a presence's, a command's, a shadow's) in the writer's transaction.
CHANGE_SINKS: list[str] = []
RETENTION_DAYS = env.int("IOTPANEL_RETENTION_DAYS", default=365)  # raw readings, the platform's ceiling

# --- Tasks ---------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {}

# --- Signing in ----------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL
THROTTLE = env.bool("IOTPANEL_THROTTLE", default=True)

# --- Language and time ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Files ---------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = IOTPANEL_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "iotpanel" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(IOTPANEL_HOME / "files")}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
