"""Settings of the hub; the only module that reads the environment. Each variable is explained in `.env.example`."""

from pathlib import Path

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _
from environs import Env

from hub.core.logs import configured

django_stubs_ext.monkeypatch()  # generic classes of Django take their type in brackets at run time, too

env = Env()
env.read_env()

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
BASE_URL = env.str("BASE_URL", "http://localhost:8000")

# The company that runs this hub
COMPANY_NAME = env.str("COMPANY_NAME", "Ardoise")
COMPANY_TIME_ZONE = env.str("COMPANY_TIME_ZONE", "Europe/Paris")
SYNC_HOUR = env.int("SYNC_HOUR", 4)  # local hour at which the night's sync becomes due

INSTALLED_APPS = [
    "hub.core",
    "hub.jobs",
    "hub.people",
    "hub.activity",
    "hub.search",
    "connectors",
    "hub.imports",
    "tooling",
    "frameworks",
    "kpis",
    "onboarding",
    "hub.home",
    "hub.demo",
    "hub.people.repair.RepairAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "django_htmx",
    "template_partials",
    "django_filters",
    "rules",
    "csp",
    "allauth",
    "allauth.account",
]

MIDDLEWARE = [
    "hub.core.middleware.RoomMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hub.people.middleware.LanguageMiddleware",
    "hub.core.middleware.AddressMiddleware",
    "hub.people.middleware.VisitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "hub.core.middleware.HtmxAnswerMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "template_partials.templatetags.partials",
                "hub.core.templatetags.fixed",
                "hub.core.templatetags.ui",
            ],
            "libraries": {"i18n": "hub.core.templatetags.fixed"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "hub.home.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# PostgreSQL and Redis: the embedded servers of `make run` set the same two variables.
DATABASES = {
    "default": {
        **env.dj_db_url("DATABASE_URL"),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"].setdefault("OPTIONS", {})
if env.bool("DATABASE_POOL", False):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 8, "timeout": 4}
REDIS_URL = env.str("REDIS_URL")
FORMS_URLFIELD_ASSUME_HTTPS = True  # an address typed without a scheme is https, as from Django 6 on
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "hub.people.backends.RepairBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["hub.people.hashers.Argon2Hasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home:home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation link already proves the address
ACCOUNT_ADAPTER = "hub.people.adapters.AccountAdapter"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody learns who works here, and strangers get no mail from us
ACCOUNT_SESSION_REMEMBER = True  # one length for every session: SESSION_COOKIE_AGE
PASSWORD_RESET_TIMEOUT = 4 * 3600
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "30/h/ip,5/5m/key,20/d/key",
    "change_password": "5/m/user",
    "reset_password": "20/h/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
}
# The client's address comes from the proxy's own hop of X-Forwarded-For, never from what the client wrote there.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("BEHIND_PROXY", False) else 0
# Limits on guessing are counted in PostgreSQL: they outlive Redis, and sign-in works without it (docs/decisions/0006).
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "hub_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Sessions, cookies, headers
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 7 * 24 * 3600
HTTPS = env.bool("HTTPS", False)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "hub.home.errors.csrf_failed"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz)/$"]  # health checks come from inside, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SILENCED_SYSTEM_CHECKS = [
    "security.W005", "security.W021",  # subdomains and preload lists: the company's own choice
    "templates.W003",  # hub.core.templatetags.fixed stands in for Django's i18n on purpose
]  # fmt: skip
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

# Mail
EMAIL_CONFIG = env.dj_email_url("EMAIL_URL", "console://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG.get("EMAIL_HOST", "")
EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "hub@localhost")
EMAIL_TIMEOUT = 10

# Languages and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["hub.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = COMPANY_TIME_ZONE

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # half the files to compress and to keep
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

# Secrets of connections: comma-separated Fernet keys, newest first (docs/decisions/0004).
SECRET_KEYS: list[str] = env.list("SECRET_KEYS", [])

# The push API
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", 60)  # of one token

# Databases that metrics may be read from (docs/push-and-sql.md): hosts or networks inside one's own, folders of files.
SQL_HOSTS: list[str] = env.list("SQL_HOSTS", [])
SQL_FOLDERS: list[str] = env.list("SQL_FOLDERS", [])

# The stand-in of outside services (`make run` and the tests); empty where a real service is used.
LINEAR_URL = env.str("LINEAR_URL", "https://api.linear.app")
SANDBOX_URL = env.str("SANDBOX_URL", "")

# Tables that are read from an address every night: the ports that may be used, and hosts of the company's own network
# (`files.intra` or `files.intra:8080`) that may be read although they are private, over http if need be.
FEED_PORTS: list[int] = env.list("FEED_PORTS", [443], subcast=int)
FEED_INSIDE_HOSTS: list[str] = env.list("FEED_INSIDE_HOSTS", [])

# Demo: prints the demo accounts on the sign-in page. Never in production.
DEMO = env.bool("DEMO", False)

# Celery: reliability.md 2.3. Long waits are `run_after` in the job table, never an ETA in the broker.
# A socket's address has another spelling there: unix:///run/redis.sock?db=0 is redis+socket:///run/redis.sock?virtual_host=0.
CELERY_BROKER_URL = (
    "redis+socket" + REDIS_URL.removeprefix("unix").replace("?db=", "?virtual_host=")
    if REDIS_URL.startswith("unix:")
    else REDIS_URL
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 60
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False  # ids it has at hand are told again; it would sleep a minute
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_TASK_PUBLISH_RETRY = False

# Logs: one JSON object a line on stdout; readable lines where LOG_FORMAT=lines.
LOGGING = configured(is_readable=env.str("LOG_FORMAT", "json") == "lines", level=env.str("LOG_LEVEL", "INFO"))
