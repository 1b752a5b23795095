"""Tell a syllable of Vietnamese from what is none, without marks: pure tables.

Used where one letter more or less matters: a word that no syllable can be is a misread
one, an abbreviation that is also a syllable would be taken for other words.
"""

from functools import lru_cache
from typing import Final

from search import spelling

LONG: Final = 6  # letters: a shorter word has too many neighbours that mean something else
LONGEST: Final = 16
# What readers of scans take for a letter; they are no letters themselves, so no right word has them.
_FIGURES: Final = {"o": "0", "i": "1", "l": "1", "s": "5", "g": "9", "b": "8"}

_ONSETS: Final = " b c ch d g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split(" ")  # noqa: SIM905
_RIMES: Final = frozenset(
    """
    a ac ach ai am an ang anh ao ap at au ay e ec ech em en eng enh eo ep et eu
    i ia ich iec iem ien ieng iep iet ieu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oc oe oen oeo oet oi om on ong ooc oong op ot
    u ua uac uan uang uat uay uc ue uech uen uenh uet ui uich uinh um un ung
    uo uoc uoi uom uon uong uop uot uou up ut uu uy uya uych uyen uyet uyn uynh uyt uyu
    y yem yen yeng yet yeu ynh
    """.split()  # noqa: SIM905
)


def is_syllable(folded: str) -> bool:
    """Return whether a word without marks can be a Vietnamese syllable.

    >>> is_syllable("nghieng"), is_syllable("nghienh"), is_syllable("ubnd")
    (True, False, False)
    """
    return any(folded[:cut] in _ONSETS and folded[cut:] in _RIMES for cut in range(4))


@lru_cache(maxsize=4096)
def misread(folded: str) -> tuple[str, ...]:
    """Return what a scan may say for a long word: one letter else and no syllable itself; () for a short word.

    >>> "tnuong" in misread("truong"), "thuong" in misread("truong"), misread("quan")
    (True, False, ())
    """
    if not LONG <= len(folded) <= LONGEST:
        return ()
    near = [word for word in spelling.near(folded) if not is_syllable(word)]
    figures = [
        folded[:at] + _FIGURES[letter] + folded[at + 1 :] for at, letter in enumerate(folded) if letter in _FIGURES
    ]
    return tuple(sorted({*near, *figures})) if near else ()
