"""Addresses of the office, by screen."""

from archive.views.control import (
    clearances,
    holidays,
    log,
    log_export,
    oversight,
    people,
    posts,
    protection,
    seen,
    shelves,
    units,
)
from archive.views.desk import home
from archive.views.keeping import dossiers, plan, retention
from archive.views.record import copying, knowing, leveling, records
from archive.views.register import books, papers, registering
from archive.views.route import work
from archive.views.signing_in import account, provider, sessions, sign_in

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
    *plan.urlpatterns,
    *people.urlpatterns,
    *units.urlpatterns,
    *shelves.urlpatterns,
    *protection.urlpatterns,
    *holidays.urlpatterns,
    *posts.urlpatterns,
    *clearances.urlpatterns,
    *knowing.urlpatterns,
    *leveling.urlpatterns,
    *log.urlpatterns,
    *log_export.urlpatterns,
    *oversight.urlpatterns,
    *seen.urlpatterns,
]
