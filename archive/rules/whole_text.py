"""Text that every place can keep: a lone surrogate, half of a character of UTF-16, is no text and has no bytes in UTF-8.

JSON, a foreign alphabet and bytes of a terminal that are not UTF-8 can bring one in; databases, files and the log take none.
"""

import codecs
import re
from typing import Final

from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal

_HALF: Final = re.compile("[\ud800-\udfff]")


class HalfCharacter(Refusal):
    """TXT-001: a text that was typed or given cannot be kept as it is."""

    code = "TXT-001"
    message = _(
        "This text holds half a character or bytes that are no text: %(text)s. Nothing was done. Type it anew in Unicode "
        "(UTF-8); a file or folder of such a name must be renamed first."
    )


class ForeignAlphabet(Refusal):
    """TXT-002: a request says that its text is in another alphabet than UTF-8."""

    code = "TXT-002"
    message = _(
        "The text was sent in the alphabet %(alphabet)s. Nothing was done. This system takes Unicode (UTF-8) alone: send it "
        "again without another alphabet."
    )


def require(*texts: str) -> None:
    """Refuse texts that cannot be kept. Raises HalfCharacter, which names the first."""
    for text in texts:
        if _HALF.search(text):
            raise HalfCharacter(text=ascii(text[:100]))


def mended(text: str) -> str:
    """Return a text with the sign of what cannot be shown in the place of each half: for what is told, not for what was typed."""
    return _HALF.sub("\ufffd", text)


def require_utf8(alphabet: str) -> None:
    """Refuse another alphabet than UTF-8: some of them spell halves. Raises ForeignAlphabet."""
    try:
        is_ours = codecs.lookup(alphabet).name == "utf-8"
    except (LookupError, ValueError):
        is_ours = False
    if not is_ours:
        raise ForeignAlphabet(alphabet=ascii(alphabet[:40]))
