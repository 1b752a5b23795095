"""Marks that a file or page can carry, and the words a person reads for them."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FLAGS: Final[dict[str, Promise]] = {
    "encrypted": _("Has a password"),
    "signed": _("Digitally signed (not checked)"),
    "active": _("Has active content"),
    "javascript": _("Has scripts (never run)"),
    "launch": _("Tries to start programs (never run)"),
    "embedded": _("Has files inside (never opened)"),
    "submit": _("Tries to send a form (never sent)"),
    "link": _("Links to other machines (never followed)"),
    "xfa": _("Has a dynamic form (never run)"),
    "type_mismatch": _("Its name says another format"),
    "hidden_text": _("Its text differs from its pages"),
    "low_confidence": _("Hard to read"),
    "legacy_text": _("Old Vietnamese font, converted"),
    "unclear": _("A machine cannot clear this scan"),
    "handwriting": _("Has handwriting"),
    "rotated": _("Page was turned"),
    "changed_after_signing": _("Changed after it was signed"),
    "repaired": _("Damaged; mended for reading"),
    "leading_bytes": _("Has stray bytes at its start"),
    "invisible_layer": _("Brings another reader's text along"),
    "text_over_picture": _("Has text set over a picture"),
}


def word(flag: str) -> str:
    """Return the words of a flag; an unknown one is shown as it is."""
    return str(FLAGS.get(flag, flag))
