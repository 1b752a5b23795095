"""Addresses of the office, by screen."""

from archive.views import (
    account,
    books,
    clearances,
    copying,
    dossiers,
    home,
    knowing,
    leveling,
    log,
    oversight,
    papers,
    provider,
    records,
    registering,
    retention,
    sessions,
    sign_in,
    work,
)

app_name = "archive"
urlpatterns = [
    *home.urlpatterns,
    *sign_in.urlpatterns,
    *provider.urlpatterns,
    *account.urlpatterns,
    *sessions.urlpatterns,
    *registering.urlpatterns,
    *books.urlpatterns,
    *papers.urlpatterns,
    *records.urlpatterns,
    *copying.urlpatterns,
    *work.urlpatterns,
    *dossiers.urlpatterns,
    *retention.urlpatterns,
    *clearances.urlpatterns,
    *knowing.urlpatterns,
    *leveling.urlpatterns,
    *log.urlpatterns,
    *oversight.urlpatterns,
]
