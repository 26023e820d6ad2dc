"""The fonts of a report: FiraGO for most scripts, Noto Sans for Chinese, Japanese and Korean, of which only what is used is embedded.

They come as packages with locked versions (`pymupdf-fonts`, `justmytype-intl-cjk`; both under the SIL Open Font License). A character that none of them
has is shown as its transliteration into ASCII: the JSON has it as it is.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import pymupdf_fonts
from anyascii import anyascii
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from fpdf import FPDF

FAMILY: Final = "FiraGO"
_FACES: Final = (("", "figo"), ("B", "figbo"))
_EAST_ASIAN: Final = (("NotoSansSC", "notosanssc"), ("NotoSansKR", "notosanskr"))
_REGULAR: Final = 400  # of the axis wght; the default instance of these fonts is the thinnest
_LEFT_TO_RIGHT: Final = frozenset({"L", "EN", "ES", "ET", "CS", "ON", "WS", "BN", "NSM", "AN"})
_SHAPED_FROM: Final = 0x0590  # letters before it (Latin, Greek, Cyrillic, Armenian) stand beside each other as they are
_SHAPED_UNTIL: Final = 0x1100


class Typesetter:
    """The fonts of one document, for the characters that it has. `folder` is where font files are put while the document is made."""

    def __init__(self, pdf: FPDF, characters: Iterable[str], folder: Path) -> None:
        self._pdf = pdf
        for style, name in _FACES:
            path = folder / f"{name}.ttf"
            path.write_bytes(pymupdf_fonts.myfont(name))
            pdf.add_font(FAMILY, style, path)
        with TTFont(folder / "figo.ttf", lazy=True) as font:
            self._main = frozenset(font.getBestCmap())
        self._east_asian: set[str] = set()
        self._widths: dict[tuple[str, str], float] = {}
        missing = {each for each in characters if ord(each) not in self._main and each.isprintable()}
        fallbacks = []
        for name, package in _EAST_ASIAN:
            if found := self._add(name, package, missing - self._east_asian, folder):
                self._east_asian |= found
                fallbacks.append(name)
        pdf.set_fallback_fonts(fallbacks, exact_match=False)
        self._known = self._main | frozenset(map(ord, self._east_asian))

    def _add(self, name: str, package: str, wanted: set[str], folder: Path) -> set[str]:
        """Add what a font has of these characters, and return that."""
        source = files("justmytype_intl_cjk") / "fonts" / "ofl" / package / f"{name}[wght].ttf"
        with TTFont(str(source), lazy=True, recalcTimestamp=False) as font:
            found = {each for each in wanted if ord(each) in font.getBestCmap()}
            if found:
                options = Options(layout_features=[], hinting=False, recalc_timestamp=False, glyph_names=False)
                subsetter = Subsetter(options)
                subsetter.populate(text="".join(sorted(found)))
                subsetter.subset(font)
                path = folder / f"{name}.ttf"
                instantiateVariableFont(font, {"wght": _REGULAR}, inplace=True)
                font.save(path)
                self._pdf.add_font(name, "", path)
        return found

    def shown(self, text: str) -> str:
        """Return a text with nothing that cannot be shown: what no font has, transliterated; what is no character, as a blank."""
        if text.isascii() and text.isprintable():
            return text
        return "".join(self._shown(each) for each in unicodedata.normalize("NFC", text))

    def _shown(self, character: str) -> str:
        if ord(character) in self._known and character.isprintable():
            return character
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Zs"):
            return " "
        return anyascii(character) or ("" if unicodedata.category(character) in ("Cf", "Mn") else "?")

    def is_plain(self, text: str) -> bool:
        """Say whether the main font has all of a text, and its letters stand from left to right without joining."""
        return text.isascii() or all(ord(each) in self._main and not _is_shaped(each) for each in text)

    def width(self, text: str, style: str, size: float) -> float:
        """Return the width of a text (mm)."""
        return sum(self._width(each, style) for each in text) * size

    def _width(self, character: str, style: str) -> float:
        """Return the width of a character at a size of one point (mm)."""
        key = (character, style)
        if key not in self._widths:
            self._pdf.set_font(FAMILY, style if ord(character) in self._main else "", 100)
            self._widths[key] = self._pdf.get_string_width(character) / 100
        return self._widths[key]


@lru_cache(maxsize=4096)
def _is_shaped(character: str) -> bool:
    """Say whether a character is read from right to left, or its form depends on its neighbours."""
    return unicodedata.bidirectional(character) not in _LEFT_TO_RIGHT or _SHAPED_FROM <= ord(character) < _SHAPED_UNTIL
