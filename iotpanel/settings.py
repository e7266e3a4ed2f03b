"""All settings, driven by the environment. What is missing is said loudly; `NAME_FILE` gives a secret by file."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def secret(name: str, default: str | None = None) -> str:
    """A secret from `NAME_FILE` or `NAME`; raises ImproperlyConfigured where neither is set."""
    if path := env.str(f"{name}_FILE", default=""):
        return Path(path).read_text().strip()
    value = env.str(name, default=default)
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
PUBLIC_URL = env.str("IOTPANEL_PUBLIC_URL", default="")  # the web's address for devices, such as https://panel.example.org; empty: derived
MQTT_HOST = env.str("IOTPANEL_MQTT_HOST", default="")  # what the Connect page shows; empty: derived
MQTT_PORT = env.int("IOTPANEL_MQTT_PORT", default=1883)
# The broker's further doors, 0 where they are closed, and where its certificate is.
MQTTS_PORT = env.int("IOTPANEL_MQTTS_PORT", default=0)
MQTT_WS_PORT = env.int("IOTPANEL_MQTT_WS_PORT", default=0)
MQTT_WSS_PORT = env.int("IOTPANEL_MQTT_WSS_PORT", default=0)
MQTT_CERT_PORT = env.int("IOTPANEL_MQTT_CERT_PORT", default=0)
TLS_DIR = Path(env.str("IOTPANEL_TLS_DIR", default=str(IOTPANEL_HOME / "tls")))
DEVICE_CA_DIR = Path(env.str("IOTPANEL_DEVICE_CA_DIR", default=str(IOTPANEL_HOME / "secrets")))  # signs devices' certificates
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

# --- Watching over it ------------------------------------------------------------------------------------------
METRICS_TOKEN = secret("IOTPANEL_METRICS_TOKEN", default="")  # opens /metrics to others than this machine
LOGGING_CONFIG = "iotpanel.logs.configure"
# Empty format: lines for people on a terminal, JSON elsewhere.
LOGGING = {"level": env.str("IOTPANEL_LOG_LEVEL", default="INFO").upper(), "format": env.str("IOTPANEL_LOG_FORMAT", default="")}

# --- Apps ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # Only `runserver` needs it as an app; workers would carry a web server's 15 MB each.
    *(["daphne"] if "runserver" in sys.argv else []),
    "iotpanel.pages",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "iotpanel.tenants.admin_site.AdminConfig",
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
    "import_export",  # it has a command `export` too, and ours goes first
    "devices",
    "telemetry",
    "rules",
]
AUTH_USER_MODEL = "tenants.User"
MIDDLEWARE = [
    "iotpanel.health.Probes",
    "iotpanel.requests.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "iotpanel.pages.csp.WiderPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "iotpanel.pages.localize.Localize",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "iotpanel.tenants.audit.AuditMiddleware",
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
                "iotpanel.pages.context.shell",
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
CACHES = {
    "default": {
        "BACKEND": "iotpanel.shared_cache.SharedRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "iotpanel",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},  # a cache that hangs must not hang the pages
    }
}

# --- Uplink --------------------------------------------------------------------------------------------------
MQTT_URL = env.str("MQTT_URL", default="mqtt://127.0.0.1:1884")  # the workers' own listener
# The persistent session; one per uplink worker.
MQTT_CLIENT_ID = env.str("IOTPANEL_MQTT_CLIENT_ID", default="iotpanel-uplink")
MQTT_SHARE = env.str("IOTPANEL_MQTT_SHARE", default="")  # several uplink workers: a group, see docs/performance.md
# Where the broker reads its accounts; empty where the broker asks us by HTTP instead.
BROKER_DIR = env.str("IOTPANEL_BROKER_DIR", default="")
# Where the broker asks us instead (/broker/...): what it has to know. Empty: nobody may ask.
BROKER_TOKEN = secret("IOTPANEL_BROKER_TOKEN", default="")
# Called with the reports, attributes and events that a batch stored, in its transaction (dotted paths); how upper apps see the uplink.
UPLINK_SINKS: list[str] = ["rules.engine.sink", "rules.sinks.uplink"]
# Called with changes outside a batch (a presence's, a command's, a shadow's) in the writer's transaction.
CHANGE_SINKS: list[str] = ["telemetry.live.changes.tell", "rules.engine.change_sink", "rules.sinks.changed"]
DEVICES_IN_ALARM = "rules.alarms.in_alarm"  # of some devices those with an open alarm, for the API's `view=alarm`
# Commands a second that a device (a burst at first) and a tenant are sent at most; the rest waits.
COMMAND_RATE_DEVICE = env.float("IOTPANEL_COMMAND_RATE_DEVICE", default=20.0)
COMMAND_BURST_DEVICE = env.float("IOTPANEL_COMMAND_BURST_DEVICE", default=50.0)
COMMAND_RATE_TENANT = env.float("IOTPANEL_COMMAND_RATE_TENANT", default=5000.0)
# Called once a second by the uplink worker with the instant since when it hears everything, or None while it does not.
SWEEPS: list[str] = ["rules.sweeps.sweep"]
RULES_PER_TENANT = env.int("IOTPANEL_RULES_PER_TENANT", default=20_000)
RULE_FIRINGS_PER_MINUTE = env.int("IOTPANEL_RULE_FIRINGS_PER_MINUTE", default=60_000)  # of a tenant's rules
# Where readings are kept (telemetry/stores), and whether TimescaleDB is switched on where the server has it.
TELEMETRY_STORE = env.str("IOTPANEL_STORE", default="timescale")
TIMESCALE = env.bool("IOTPANEL_TIMESCALE", default=True)
# How many days data are kept; 0 keeps them for good. Readings and events: the platform's ceiling, products may keep less.
RETENTION_DAYS = env.int("IOTPANEL_RETENTION_DAYS", default=365)
# Rollups of products that say nothing about it.
ROLLUP_DAYS = {
    "minute": env.int("IOTPANEL_ROLLUP_MINUTE_DAYS", default=30),
    "hour": env.int("IOTPANEL_ROLLUP_HOUR_DAYS", default=3653),
    "day": env.int("IOTPANEL_ROLLUP_DAY_DAYS", default=0),
}
DEAD_LETTER_DAYS = env.int("IOTPANEL_DEAD_LETTER_DAYS", default=90)
# Reports per second, 0: no limit; a burst of 0 is ten seconds' worth. Tenants, products and devices may have their own.
TENANT_RATE, TENANT_BURST = env.float("IOTPANEL_TENANT_RATE", default=0), env.int("IOTPANEL_TENANT_BURST", default=0)
DEVICE_RATE, DEVICE_BURST = env.float("IOTPANEL_DEVICE_RATE", default=0), env.int("IOTPANEL_DEVICE_BURST", default=0)
LEDGER_DAYS = env.int("IOTPANEL_LEDGER_DAYS", default=730)
COMMAND_DAYS = env.int("IOTPANEL_COMMAND_DAYS", default=365)  # ended commands and changes of shadows
CHANGE_DAYS = env.int("IOTPANEL_CHANGE_DAYS", default=365)  # who came and went, and what attributes were before
COMPRESS_AFTER_DAYS = env.int("IOTPANEL_COMPRESS_AFTER_DAYS", default=14)  # readings, on TimescaleDB's Community edition

# Configuration as code: what a document holds, in the order in which kinds need each other; apps add theirs.
CONFIGURATION_KINDS = {
    "groups": "devices.configuration:Groups",
    "products": "devices.configuration:Products",
    "channels": "rules.configuration:Channels",
    "forwarders": "rules.configuration:Forwarders",
    "rules": "rules.configuration:Rules",
}
# --- The world outside -----------------------------------------------------------------------------------------
# Networks beyond the public internet that webhooks and forwarders may reach, such as 10.0.0.0/8,127.0.0.1/32.
ALLOWED_NETWORKS = env.list("IOTPANEL_ALLOWED_NETWORKS", default=[])
OUTBOX_DAYS = env.int("IOTPANEL_OUTBOX_DAYS", default=7)  # how long a promise waits for the other side
OUTBOX_LEASE = env.int("IOTPANEL_OUTBOX_LEASE", default=20)  # seconds after which a killed worker's deliveries are taken over
DELIVERY_DAYS = env.int("IOTPANEL_DELIVERY_DAYS", default=30)  # how long is kept what was sent and answered

# --- Tasks ---------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "iotpanel.beat:Scheduler"
# A task that could not be run in time is dropped: the next one does its work too.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "fold the ledger": {"task": "telemetry.tasks.fold_ledger", "schedule": 10, "options": {"expires": 10}},
    "advance jobs": {"task": "devices.tasks.advance_jobs", "schedule": 2, "options": {"expires": 2}},
    "drop lost images": {"task": "devices.tasks.drop_lost_images", "schedule": 3600, "options": {"expires": 3600}},
    "roll up readings": {"task": "telemetry.tasks.roll_up", "schedule": 30, "options": {"expires": 30}},
    "erase deleted devices' data": {"task": "telemetry.tasks.erase", "schedule": 60, "options": {"expires": 60}},
    "refresh SQL views": {"task": "telemetry.tasks.refresh_views", "schedule": 60, "options": {"expires": 60}},
    "go on reprocessing": {"task": "telemetry.tasks.reprocess_archived", "schedule": 30, "options": {"expires": 30}},
    "go on replaying dead letters": {"task": "telemetry.tasks.replay_letters", "schedule": 30, "options": {"expires": 30}},
    "deliver the outbox": {"task": "rules.tasks.deliver_outbox", "schedule": 1, "options": {"expires": 2}},
    "drop old deliveries": {"task": "rules.tasks.drop_old_deliveries", "schedule": 600, "options": {"expires": 600}},
    "drop old data": {"task": "telemetry.tasks.drop_old", "schedule": 600, "options": {"expires": 600}},
}

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

# Ten wrong passwords lock name and address together for 15 minutes; axes keeps them in the database.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "iotpanel.tenants.lockout.answer"
AXES_CLIENT_IP_CALLABLE = "iotpanel.api.addresses.client_address"
AXES_VERBOSE = False
REST_KNOX = {"TOKEN_TTL": timedelta(days=30), "TOKEN_LIMIT_PER_USER": 100}

# Accounts are made by people who may; sign-on appears where it is configured. The failures are counted by axes alone.
ACCOUNT_ADAPTER = "iotpanel.pages.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "iotpanel.pages.adapters.SocialAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {"login_failed": ""}
MFA_TOTP_ISSUER = "iotpanel"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s: a code typed at its end arrives at the next (RFC 6238, section 5.2)
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are kept by administrators; nobody registers
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
OIDC_URL = env.str("IOTPANEL_OIDC_URL", default="")  # the issuer, such as https://login.example.org/realms/plant
if OIDC_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "sso",
                "name": env.str("IOTPANEL_OIDC_NAME", default="Single sign-on"),
                "client_id": env.str("IOTPANEL_OIDC_CLIENT_ID"),
                "secret": secret("IOTPANEL_OIDC_SECRET"),
                "settings": {"server_url": OIDC_URL, "oauth_pkce_enabled": True},
            }
        ]
    }
# Mail is needed for nothing but forgotten passwords; without it that link is not shown.
EMAIL_URL = env.str("IOTPANEL_EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url("IOTPANEL_EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.str("IOTPANEL_EMAIL_FROM", default="iotpanel@localhost")
# Web push: the secret that its key is made of (here, the one that was made for this home), and whom push services write to.
_made = IOTPANEL_HOME / "secrets" / "vapid-key"
VAPID_KEY = secret("IOTPANEL_VAPID_KEY", default="") or (_made.read_text().strip() if os.access(_made, os.R_OK) else "")
if 0 < len(VAPID_KEY) < 32:
    raise ImproperlyConfigured("IOTPANEL_VAPID_KEY is too short: it must be a secret of at least 32 characters.")
VAPID_SUBJECT = env.str("IOTPANEL_VAPID_SUBJECT", default="")
if not VAPID_SUBJECT:
    VAPID_SUBJECT = PUBLIC_URL if PUBLIC_URL.startswith("https://") else f"mailto:{DEFAULT_FROM_EMAIL}"

# --- REST ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "iotpanel.tenants.api.authentication.BearerAuthentication",
        "iotpanel.tenants.api.authentication.SignedAuthentication",
        "iotpanel.tenants.api.authentication.CsrfSession",
    ],
    "DEFAULT_PARSER_CLASSES": ["iotpanel.api.json.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["iotpanel.api.json.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "iotpanel.api.json.AlwaysJson",
    "DEFAULT_PAGINATION_CLASS": "iotpanel.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "iotpanel.api.schema.EndpointSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "iotpanel.api.handler.handle",
    "URL_FORMAT_OVERRIDE": None,  # `format=csv` is a parameter like any other
}
SPECTACULAR_SETTINGS = {
    "TITLE": "iotpanel",
    "VERSION": "1",
    "DESCRIPTION": "Devices, what they say, and what to do about it. Lists go by cursor, errors have one shape, times have a zone.",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "Role": "iotpanel.tenants.models.Role",
        "RunState": "telemetry.models.run.RunState",
        **{name: f"devices.models.{name}" for name in ("CommandState", "SerialState", "JobState", "TargetState")},
    },
}

# --- History of changes --------------------------------------------------------------------------------------
# What changes with every request or message is no history; digests and hashes stay where they are.
AUDITLOG_INCLUDE_TRACKING_MODELS: tuple[dict[str, Any], ...] = (
    {"model": "tenants.Tenant", "include_fields": ["key", "name", "rate_limit", "rate_burst"]},
    {"model": "tenants.User", "include_fields": ["username", "first_name", "last_name", "email", "is_active", "is_superuser"]},
    {"model": "tenants.Membership", "include_fields": ["user", "role"]},
    {"model": "tenants.ApiKey", "include_fields": ["name", "role", "scopes", "expires_at", "prefix"]},
    {"model": "devices.Group", "include_fields": ["key", "name", "parent"]},
    {
        "model": "devices.Product",
        "include_fields": [
            *["key", "name", "description", "thing_model", "codec_kind", "codec_script", "codec_samples", "offline_after", "topics"],
            *[
                "unknown_properties",
                "command_window",
                "firmware_key",
                "register_children",
                "child_product",
                "retention_days",
                "rollup_retention",
                "archive_days",
                "rate_limit",
                "rate_burst",
            ],
        ],
    },
    {
        "model": "devices.Device",
        "include_fields": [
            *["key", "name", "product", "parent", "groups", "labels", "latitude", "longitude", "enabled", "rate_limit", "rate_burst"],
        ],
        "m2m_fields": {"groups"},
    },
    {"model": "rules.Rule", "include_fields": ["name", "enabled", "body", "disabled_reason"]},
    {"model": "rules.Maintenance", "include_fields": ["name", "scope", "starts_at", "ends_at"]},
    {"model": "rules.Rotation", "include_fields": ["key", "name", "people", "period", "starts_at"]},
    {"model": "rules.Channel", "include_fields": ["name", "kind", "enabled", "title", "text", "group_wait", "group_interval"]},
    {"model": "rules.Forwarder", "include_fields": ["name", "kind", "enabled", "settings", "stream", "scope", "template"]},
    {"model": "devices.Credential", "include_fields": ["device", "revoked_at", "valid_until"]},
    {"model": "devices.DeviceCertificate", "include_fields": ["key", "serial", "fingerprint", "not_after", "revoked_at"]},
    {
        "model": "devices.RegistrationPolicy",
        "include_fields": ["product", "mode", "approval", "key_template", "max_devices", "secret_made_at"],
    },
    {"model": "devices.Serial", "include_fields": ["serial", "product", "state", "device"]},
    {"model": "devices.Job", "include_fields": ["name", "kind", "spec", "target", "rollout", "state", "reason", "starts_at"]},
    {"model": "devices.Firmware", "include_fields": ["product", "version", "size", "sha256", "signature", "notes"]},
    {"model": "devices.Claim", "include_fields": ["device", "transferable", "expires_at", "claimed_at"]},
)
AUDITLOG_USE_FK_STRING_REPRESENTATION = True  # a name says more than a number, also when the thing is gone
IMPORT_EXPORT_TMP_STORAGE_CLASS = "import_export.tmp_storages.CacheStorage"

# --- Language and time ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["iotpanel.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Files ---------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = IOTPANEL_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "iotpanel" / "static"]
COLLECTED = (STATIC_ROOT / "staticfiles.json").exists() or "collectstatic" in sys.argv[1:2]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(IOTPANEL_HOME / "files")}},
    # Hashed and compressed once `collectstatic` has run; straight from the sources before (tests, development).
    "staticfiles": {
        "BACKEND": "iotpanel.pages.static.HashedStorage" if COLLECTED else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
FIRMWARE_DIR = IOTPANEL_HOME / "files" / "firmware"
FIRMWARE_MAX_BYTES = env.int("IOTPANEL_FIRMWARE_MAX_MB", default=60) * 1_000_000
FIRMWARE_ADDRESS_SECONDS = env.int("IOTPANEL_FIRMWARE_ADDRESS_SECONDS", default=3600)  # how long a device may use an address
FIRMWARE_DOWNLOADS = env.int("IOTPANEL_FIRMWARE_DOWNLOADS", default=64)  # at once, of each web process
# Pieces over MQTT, in KB per second: for one device, and for all of them together.
FIRMWARE_RATE_DEVICE = env.float("IOTPANEL_FIRMWARE_RATE_DEVICE", default=256)
FIRMWARE_RATE = env.float("IOTPANEL_FIRMWARE_RATE", default=4096)
WHITENOISE_USE_FINDERS = not COLLECTED

# --- How it looks --------------------------------------------------------------------------------------------
# Strict for the pages; `iotpanel.pages.csp` widens it below /admin/ and /api/docs/ alone.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        # A browser applies this to where the form is redirected, too.
        "form-action": ["'self'", *(["{0.scheme}://{0.netloc}".format(urlsplit(OIDC_URL))] if OIDC_URL else [])],
        "frame-ancestors": ["'none'"],
    }
}
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "iotpanel",
    "SITE_HEADER": "iotpanel",
    "SITE_SUBHEADER": "iotpanel.pages.unfold.subheader",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "iotpanel.pages.unfold.icon"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": "/language/"},
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": {
            "50": "#f6f8fa", "100": "#f0f2f6", "200": "#e0e3e7", "300": "#c8ccd3", "400": "#9398a3", "500": "#646b76",
            "600": "#474d58", "700": "#3b4049", "800": "#272a31", "900": "#15171c", "950": "#0d0f13",
        },
        "primary": {
            "50": "#f4f8ff", "100": "#ebf1fe", "200": "#cfdffd", "300": "#a5c4ff", "400": "#84aefa", "500": "#84aefa",
            "600": "#2a5dbf", "700": "#1b4ba9", "800": "#163d8a", "900": "#1d2b47", "950": "#0b1220",
        },
        "font": {
            "subtle-light": "#646b76", "subtle-dark": "#9398a3", "default-light": "#474d58", "default-dark": "#b3b7c0",
            "important-light": "#161b23", "important-dark": "#ebedf1",
        },
        "red": {"100": "#feeded", "400": "#fa9390", "500": "#f05653", "600": "#cb1d25", "700": "#a9141c"},
        "orange": {"100": "#ffefe2", "400": "#f4b07c", "500": "#f38743", "600": "#d96014", "700": "#93400f"},
        "green": {"100": "#e0f7e9", "400": "#75d5a0", "500": "#47c687", "600": "#15915c", "700": "#08633d"},
        "blue": {"100": "#f0f2f6", "400": "#b3b7c0", "500": "#9398a3", "600": "#646b76", "700": "#474d58"},
    },
    "STYLES": ["iotpanel.pages.unfold.tokens", "iotpanel.pages.unfold.marks", "iotpanel.pages.unfold.admin", "iotpanel.pages.unfold.forms"],
    "DASHBOARD_CALLBACK": "iotpanel.tenants.admin.index.dashboard",
    "COMMAND": {"search_callback": "iotpanel.pages.admin_search.search", "show_history": True},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "iotpanel.pages.admin_navigation.navigation"},
}  # fmt: skip
