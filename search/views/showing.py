"""How hits are shown: as passages, or as a table with columns of choice. Kept with the session, so each person has their own."""

from typing import Any, Final

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LIST, TABLE = "list", "table"
# In the order of the table; the subject always stands in it.
COLUMNS: Final[dict[str, str | Promise]] = {
    "number": _("Register number"),
    "register": pgettext_lazy("book", "Register"),
    "symbol": _("Number and symbol"),
    "type": _("Type"),
    "organ": _("Issuer"),
    "issued": _("Date"),
    "arrived": _("Arrived"),
    "signer": _("Signed by"),
    "unit": _("Unit"),
    "pages": _("Pages"),
    "marks": _("Level, urgency"),
}
USUAL: Final = ("number", "symbol", "organ", "issued", "marks")
_KEPT: Final = "search_shown"


def chosen(request: HttpRequest) -> dict[str, Any]:
    """Return how this person wants hits shown: `show`, the names of the columns, and all columns to choose from."""
    kept = request.session.get(_KEPT) or {}
    names = [name for name in COLUMNS if name in kept.get("columns", USUAL)]
    return {
        "show": TABLE if kept.get("show") == TABLE else LIST,
        "columns": {name: COLUMNS[name] for name in names},
        "all_columns": [{"name": name, "label": label, "is_chosen": name in names} for name, label in COLUMNS.items()],
    }


def choose(request: HttpRequest) -> None:
    """Keep what a form says of it; a form without columns changes none."""
    kept = dict(request.session.get(_KEPT) or {})
    kept["show"] = TABLE if request.POST.get("show") == TABLE else LIST
    if names := [name for name in request.POST.getlist("column") if name in COLUMNS]:
        kept["columns"] = names
    request.session[_KEPT] = kept
