"""Names and texts that people typed, as somebody else reads them: what looks alike is alike, and what nobody sees is not there."""

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # categories of blanks, and of characters that only arrange others
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # of other categories, and drawn as nothing
_SELECTORS: Final = range(0xFE00, 0xFE10)  # of a variant of the character before


def seen(text: str) -> str:
    """Return what is seen of a text: nothing of one that is blank."""
    return "".join(each for each in text if not _is_unseen(each))


def read_alike(name: str) -> str:
    """Return the form in which two names are compared that must not be the same person's.

    Compatible letters (full-width, ligatures, mathematical ones) are those they look like (NFKC), and case and blanks do not count. Letters
    of another script stay others, however alike they look.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return seen(unicodedata.normalize("NFKC", folded))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _BLANK or ord(character) in _SELECTORS
