"""Tables: rows as high as their longest cell, a head on every page, and results in their colours."""

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from streams.ops.reports.pdf.page import ACCENT, INK, LEADING, MARGIN, MUTED, POINT, RULE, SHADE, WIDTH, Colour, Pages

SIZE: Final = 7.5
_LINE: Final = SIZE * POINT * LEADING
_PAD: Final = 1.3  # mm above and below a row's text
_GAP: Final = 3.0  # mm between columns

TONES: Final = MappingProxyType[str, tuple[Colour, Colour]]({  # ink and ground
    "PASS": ((22, 101, 52), (220, 252, 231)),
    "FAIL": ((153, 27, 27), (254, 226, 226)),
    "DUE": ((146, 64, 14), (254, 243, 199)),
    "UNKNOWN": ((55, 65, 81), (229, 231, 235)),
    "EXEMPT": ((91, 33, 182), (237, 233, 254)),
    "Revoked": ((22, 101, 52), (220, 252, 231)),
    "Active": ((153, 27, 27), (254, 226, 226)),
    "Unknown": ((55, 65, 81), (229, 231, 235)),
    "Not found": ((75, 85, 99), (243, 244, 246)),
})  # fmt: skip
"""By the text of a cell: results of checks, and what became of a leaver's account."""


class Column(NamedTuple):
    """A column: its head, its share of the width, and whether numbers stand in it."""

    head: str
    share: float
    is_number: bool = False


def table(pages: Pages, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, empty: str = "None.") -> None:
    """Put a table at the place where the document stands."""
    total = sum(column.share for column in columns)
    free = WIDTH - 2 * MARGIN - _GAP * (len(columns) - 1)
    widths = [free * column.share / total for column in columns]
    number = 0
    for number, row in enumerate(rows, start=1):
        cells = [pages.lines(text, width, size=SIZE) for text, width in zip(row, widths, strict=True)]
        height = max(map(len, cells)) * _LINE + 2 * _PAD
        if number == 1:
            pages.need(height + _LINE + 4 * _PAD)
            _head(pages, columns, widths)
        elif pages.need(height):
            _head(pages, columns, widths)
        _row(pages, columns, widths, cells, height, shaded=number % 2 == 0)
    if not number:
        pages.need(_LINE)
        pages.text(MARGIN, pages.y, empty, size=SIZE + 0.5, colour=MUTED)
        pages.y += _LINE + 2


def heading(pages: Pages, text: str, about: str = "") -> None:
    """Put the heading of a section with a sentence about it; both stay with what follows."""
    lines = pages.lines(about, WIDTH - 2 * MARGIN, size=8) if about else []
    if not pages.need(26 + len(lines) * 4):
        pages.y += 5
    pages.text(MARGIN, pages.y, text, size=13, style="B", colour=ACCENT)
    pages.y += 7.2
    for line in lines:
        pages.text(MARGIN, pages.y, line, size=8, colour=MUTED)
        pages.y += 3.9
    pages.y += 1.2


def _head(pages: Pages, columns: Sequence[Column], widths: Sequence[float]) -> None:
    x = MARGIN
    for column, width in zip(columns, widths, strict=True):
        right = x + width if column.is_number else None
        pages.text(x, pages.y + _PAD, column.head, size=SIZE - 0.5, style="B", colour=MUTED, right=right)
        x += width + _GAP
    pages.y += _LINE + 2 * _PAD
    pages.line(MARGIN, pages.y - 0.2, WIDTH - MARGIN, RULE)


def _row(
    pages: Pages, columns: Sequence[Column], widths: Sequence[float], cells: Sequence[list[str]], height: float, *, shaded: bool
) -> None:
    if shaded:
        pages.box(MARGIN - 1.5, pages.y, WIDTH - 2 * MARGIN + 3, height, SHADE)
    x = MARGIN
    for column, width, lines in zip(columns, widths, cells, strict=True):
        tone = TONES.get(lines[0]) if len(lines) == 1 else None
        if tone is not None:
            ink, ground = tone
            pages.box(x - 1, pages.y + _PAD - 0.5, pages.fonts.width(lines[0], "B", SIZE - 0.7) + 2, _LINE + 0.6, ground)
            pages.text(x, pages.y + _PAD + 0.1, lines[0], size=SIZE - 0.7, style="B", colour=ink)
        else:
            for number, line in enumerate(lines):
                right = x + width if column.is_number else None
                pages.text(x, pages.y + _PAD + number * _LINE, line, size=SIZE, colour=INK, right=right)
        x += width + _GAP
    pages.y += height
