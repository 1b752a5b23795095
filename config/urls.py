"""Every address of an installation, by package."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from config.api import api

urlpatterns = [
    path("", include("archive.urls")),
    path("intake/", include("ingest.urls")),
    path("search/", include("search.urls")),
    path("api/v1/", api.urls),
    path("machine/", include("config.status_urls")),
    path("language/", login_not_required(set_language), name="set_language"),
]
handler404 = "config.api.not_found"
handler500 = "archive.views.states.failed"
