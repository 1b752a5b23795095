"""All settings, in one file; installations differ by environment variables only.

Every variable is read through `config.env` and described in the README's table (a
test compares the two). The defaults run offline on one machine: SQLite, local
sealed files, embedded search, everything under VANKHO_HOME, loopback only.
"""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from archive.rules.levels import Level
from config import env, logs

BASE_DIR = Path(__file__).resolve().parent.parent

# --- the installation -------------------------------------------------------------
VANKHO_HOME = env.path("VANKHO_HOME", BASE_DIR / "var")
# evaluation: loopback, invented papers, said on every page. production: unclassified only. independent-lan: as
# production, and up to Tối mật under a declaration in the log, on a machine without a way out.
PROFILE = env.choice("VANKHO_PROFILE", "evaluation", ("evaluation", "production", "independent-lan"))
DECLARATION = env.path("VANKHO_DECLARATION", VANKHO_HOME / "independent-lan.json")
SITE_MAX_LEVEL = Level.parse(
    env.choice(
        "VANKHO_SITE_MAX_LEVEL", "toi-mat" if PROFILE == "evaluation" else "thuong", ("thuong", "mat", "toi-mat")
    )
)
# Dispatches above the ceiling as paper stubs: register line and holder, never a file, an abstract or a line in an index.
PAPER_STUBS = env.flag("VANKHO_PAPER_STUBS", default=False)
# From this level up every page shown carries the reader's name, time and copy number; Mật and above always do.
WATERMARK_FROM = Level.parse(env.choice("VANKHO_WATERMARK_FROM", "mat", ("thuong", "mat")))
COPIES_PER_HOUR = env.number("VANKHO_COPIES_PER_HOUR", 40)  # prints and classified files taken out, for each person
OFFICE_PARENT = env.text("VANKHO_OFFICE_PARENT")  # empty: see `archive.office`
OFFICE_NAME = env.text("VANKHO_OFFICE_NAME")
OFFICE_HOURS = env.hours("VANKHO_OFFICE_HOURS", "7-18")  # of working days; what lies outside is shown to the auditor
DEBUG = env.flag("VANKHO_DEBUG", default=False)
ALLOWED_HOSTS = env.listed("VANKHO_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.listed("VANKHO_TRUSTED_ORIGINS")
TRUSTED_PROXIES = frozenset(env.listed("VANKHO_TRUSTED_PROXIES"))
DEMO_PASSWORD = "van-kho-mau" if PROFILE == "evaluation" else ""  # of invented people; shown on their sign-in page
LOG_ORIGIN = env.text("VANKHO_LOG_ORIGIN", "vankho")  # the name of this log in its signed heads
LOG_SECOND_PLACE = env.text("VANKHO_LOG_SECOND_PLACE")  # a folder on another medium that gets every signed head
INBOX = env.path("VANKHO_INBOX", VANKHO_HOME / "inbox")
SYNONYMS = env.path("VANKHO_SYNONYMS", VANKHO_HOME / "synonyms.txt")  # what the office writes in several ways
INBOX_USER = env.text("VANKHO_INBOX_USER", "clerk")  # in whose name the watched folder hands in
METRICS_CLIENTS = env.networks("VANKHO_METRICS_CLIENTS", "127.0.0.1,::1")
WEB_PROCESSES = env.number("VANKHO_WEB_PROCESSES", 2)  # of gunicorn with config/gunicorn.py; `serve` has one
WEB_THREADS = env.number("VANKHO_WEB_THREADS", 8)  # of each
WORK_THREADS = env.number("VANKHO_WORK_THREADS", 0)  # 0: one per processor
FREE_DISK_FLOOR = env.number("VANKHO_FREE_DISK_MIB", 200) * 1024 * 1024
SITE_KEY_FILES = tuple(
    Path(name)
    for name in env.listed("VANKHO_SITE_KEY_FILES", f"{VANKHO_HOME}/keys/site-1.key,{VANKHO_HOME}/keys/site-2.key")
)
STORE_DRIVER = env.choice("VANKHO_STORE", "local", ("local", "s3"))
S3_URL = env.text("VANKHO_S3_URL")
S3_ACCESS_KEY = env.text("VANKHO_S3_ACCESS_KEY")
S3_SECRET_KEY = env.text("VANKHO_S3_SECRET_KEY")
S3_REGION = env.text("VANKHO_S3_REGION", "us-east-1")
S3_BUCKET = env.text("VANKHO_S3_BUCKET", "vankho")
S3_CA_FILE = env.text("VANKHO_S3_CA_FILE")
VAULT_URL = env.text(
    "VANKHO_VAULT_URL"
)  # empty: a SQLite file beside the keys; several machines share a PostgreSQL one
ELASTICSEARCH_URL = env.text("VANKHO_ELASTICSEARCH_URL")  # empty: the embedded index under VANKHO_HOME
ELASTICSEARCH_CA_FILE = env.text("VANKHO_ELASTICSEARCH_CA_FILE")
INDEX_PREFIX = env.text("VANKHO_INDEX_PREFIX", "vankho")
INDEX_SHARDS = max(1, env.number("VANKHO_INDEX_SHARDS", 1))  # of each level, on Elasticsearch


def _secret_key() -> str:
    """Return the signing key of sessions: given, or (evaluation only) made once and kept in the installation."""
    given = env.text("VANKHO_SECRET_KEY")
    if given or PROFILE != "evaluation":
        return given  # an empty key is refused by config.checks with the cure
    kept = VANKHO_HOME / "keys" / "session.key"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(48), encoding="ascii")
    try:
        return kept.read_text(encoding="ascii")
    except ValueError as fault:
        raise ImproperlyConfigured(
            f"The key file {kept} is not a key: it must hold one line of letters and figures. Put it back from the copy of the "
            "keys. If there is none, remove it and start again: everybody signs in anew, and authenticators are reset."
        ) from fault


SECRET_KEY = _secret_key()
# Keys of before: sessions and authenticators made under them count until `manage.py reseal` has been run.
SECRET_KEY_FALLBACKS = env.words("VANKHO_OLD_SECRET_KEY")

# --- Django ---------------------------------------------------------------------------
INSTALLED_APPS = [
    "archive",
    "ingest",
    "search",
    "config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "axes",
]
MIDDLEWARE = [
    "config.probes.Probes",
    "config.middleware.RequestContext",
    "config.readings.OneReading",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.SessionLimits",
    "config.middleware.SignInRequired",
    "config.middleware.SecondProof",
    "config.middleware.FirstPassword",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.Refusals",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "archive.views.shell.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

# --- database: an acknowledged number and its log entry must survive a power cut --------------------
# IMMEDIATE makes number allotment race-free; FULL because NORMAL lost 1,678 acknowledged acts in six
# simulated power cuts; recursive_triggers so that INSERT OR REPLACE cannot pass the log's fence.
SQLITE = {
    "ENGINE": "config.turns",
    "NAME": VANKHO_HOME / "db.sqlite3",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-16384;"
            "PRAGMA mmap_size=268435456;PRAGMA temp_store=MEMORY;PRAGMA recursive_triggers=ON"
        ),
    },
    "CONN_MAX_AGE": 600,
    "TEST": {"NAME": VANKHO_HOME / "test.sqlite3"},  # a file: several clerks at once need real locks
}
DATABASES = {"default": env.postgresql("VANKHO_DATABASE_URL") or SQLITE}
DATABASE_OWNER = env.postgresql("VANKHO_DATABASE_OWNER_URL")  # migrates; known to prepare_database and its like alone

# --- people, sessions --------------------------------------------------------------
AUTH_USER_MODEL = "archive.Person"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "archive.sign_in.Backend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "full_name", "title")},
    },
    {"NAME": "archive.sign_in.NoNameAtHand"},
    {"NAME": "archive.sign_in.NotGuessed"},
]
# required: a clearance counts only in a session that gave the six-figure code of an authenticator, too.
TOTP = env.choice("VANKHO_TOTP", "offered" if PROFILE == "evaluation" else "required", ("required", "offered"))
# Who somebody is may also be asked of the office's directory or sign-in server; empty: never asked, nothing loaded.
LDAP_URL = env.text("VANKHO_LDAP_URL")
LDAP_CA_FILE = env.text("VANKHO_LDAP_CA_FILE")
LDAP_BASE = env.text("VANKHO_LDAP_BASE")
LDAP_BIND_DN = env.text("VANKHO_LDAP_BIND_DN")
LDAP_BIND_PASSWORD = env.text("VANKHO_LDAP_BIND_PASSWORD")
LDAP_NAME_ATTRIBUTE = env.text("VANKHO_LDAP_NAME_ATTRIBUTE", "uid")
LDAP_ID_ATTRIBUTE = env.text("VANKHO_LDAP_ID_ATTRIBUTE", "entryUUID")
OIDC_ISSUER = env.text("VANKHO_OIDC_ISSUER")
OIDC_CA_FILE = env.text("VANKHO_OIDC_CA_FILE")
OIDC_CLIENT_ID = env.text("VANKHO_OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("VANKHO_OIDC_CLIENT_SECRET")
OIDC_NAME_CLAIM = env.text("VANKHO_OIDC_NAME_CLAIM", "preferred_username")
LOGIN_URL = "archive:sign-in"
LOGIN_REDIRECT_URL = "archive:home"
SESSION_ENGINE = "archive.sessions"
SESSION_COOKIE_AGE = 8 * 3600  # the longest a session lasts, however busy
SESSION_IDLE_SECONDS = env.number("VANKHO_IDLE_MINUTES", 30) * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "archive.views.states.csrf_failure"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]  # per account and per address
AXES_LOCKOUT_CALLABLE = "archive.views.signing_in.sign_in.locked"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# Not to lie beside a failed attempt: what a browser brings back from a provider, and the token of a form.
AXES_SENSITIVE_PARAMETERS = ["username", "code", "state", "session_state", "csrfmiddlewaretoken"]
AXES_CLIENT_IP_CALLABLE = "config.middleware.address_of"  # not the proxy's: it would be shut for everybody
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who goes on guessing cannot shut a name for ever

SECURE_TLS = PROFILE != "evaluation"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE_TLS
SECURE_HSTS_SECONDS = 31536000 if SECURE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_NAME = "__Host-session" if SECURE_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_TLS else "csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- language, time, files ----------------------------------------------------------
LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Vietnamese")), ("en", _("English"))]
LOCALE_PATHS: list[Path] = []
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SAMESITE = "Strict"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = SECURE_TLS
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("VANKHO_TIME_ZONE", "Asia/Ho_Chi_Minh")
USE_THOUSAND_SEPARATOR = False
STATIC_URL = "/static/"
STATIC_ROOT = None  # served from the packages themselves: nothing to collect, nothing to forget
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
FILE_UPLOAD_HANDLERS = ["ingest.uploads.SealingHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 500

LOGGING = logs.configuration(
    form=env.choice("VANKHO_LOG_FORMAT", "line" if PROFILE == "evaluation" else "json", ("line", "json")),
    level=env.choice("VANKHO_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
)
