"""The pages of a document: their size, header and footer, text at a place, and where the next line goes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF

from streams.ops.reports.pdf.fonts import FAMILY, Typesetter
from streams.ops.reports.pdf.stored import StoredStreams

Colour = tuple[int, int, int]
INK: Final[Colour] = (31, 41, 55)
MUTED: Final[Colour] = (107, 114, 128)
RULE: Final[Colour] = (209, 213, 219)
SHADE: Final[Colour] = (249, 250, 251)
ACCENT: Final[Colour] = (30, 64, 175)
WHITE: Final[Colour] = (255, 255, 255)

WIDTH, HEIGHT, MARGIN = 297.0, 210.0, 14.0  # mm: A4, landscape
TOP, BOTTOM = 20.0, 196.0  # where the text of a page begins and ends
POINT: Final = 25.4 / 72  # mm
LEADING: Final = 1.32  # of the size of a font


class Pages:
    """A document under way. `y` is where the next thing begins (mm from the top)."""

    def __init__(self, *, made: datetime, title: str, footer: str, characters: set[str], folder: Path) -> None:
        self.pdf = FPDF(orientation="L", unit="mm", format="A4")
        self.pdf.set_compression(False)
        self.pdf.set_creation_date(made.astimezone(UTC))
        self.pdf.set_producer("intercom-streams")
        self.pdf.set_title(title)
        self.pdf.set_lang("en")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        self.fonts = Typesetter(self.pdf, {*characters, *title, *footer}, folder)
        self._title, self._footer = title, footer
        self.y = BOTTOM

    def bytes(self) -> bytes:
        """Return the document, its pages numbered."""
        total = self.pdf.pages_count
        for number in range(1, total + 1):
            self.pdf.page = number
            self._number(number, total)
        self.pdf.page = total
        return bytes(self.pdf.output(output_producer_class=StoredStreams))

    def add(self) -> None:
        """Begin the next page."""
        self.pdf.add_page()
        if self.pdf.pages_count > 1:
            self.text(MARGIN, 9, self._title, size=8, colour=MUTED)
            self.line(MARGIN, 14.5, WIDTH - MARGIN)
        self.y = TOP

    def need(self, height: float) -> bool:
        """Begin the next page where less than so much (mm) is left on this one; return whether that was so."""
        if self.y + height <= BOTTOM:
            return False
        self.add()
        return True

    def text(
        self, x: float, y: float, text: str, *, size: float = 8, style: str = "", colour: Colour = INK, right: float | None = None
    ) -> None:
        """Put a line of text, its upper edge at `y`; with `right`, so that it ends there."""
        if right is not None:
            x = right - self.fonts.width(text, style, size)
        pdf = self.pdf
        pdf.set_font(FAMILY, style, size)
        pdf.set_text_color(*colour)
        if self.fonts.is_plain(text):
            pdf.text(x, y + size * POINT, text)
            return
        pdf.set_text_shaping(True)
        pdf.set_xy(x, y)
        pdf.cell(0, size * POINT * LEADING, text, align="L")
        pdf.set_text_shaping(False)

    def line(self, x: float, y: float, until: float, colour: Colour = RULE) -> None:
        """Draw a horizontal line."""
        self.pdf.set_draw_color(*colour)
        self.pdf.set_line_width(0.2)
        self.pdf.line(x, y, until, y)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.pdf.set_fill_color(*colour)
        self.pdf.rect(x, y, width, height, style="F")

    def lines(self, text: str, width: float, *, size: float = 8, style: str = "") -> list[str]:
        """Return a text broken into lines that are not wider than that (mm): between words, and within what has no blanks."""
        text = self.fonts.shown(text)
        if self.fonts.width(text, style, size) <= width:
            return [text]
        found, current = [], ""
        for word in self._pieces(text, width, size, style):
            joined = f"{current}{word}"
            if current and self.fonts.width(joined.rstrip(), style, size) > width:
                found.append(current.rstrip())
                joined = word
            current = joined
        return [*found, current.rstrip()]

    def _pieces(self, text: str, width: float, size: float, style: str) -> Iterator[str]:
        for word in text.split(" "):
            rest = f"{word} "
            while self.fonts.width(rest.rstrip(), style, size) > width and len(rest) > 1:
                fitting = 1
                while self.fonts.width(rest[: fitting + 1], style, size) <= width:
                    fitting += 1
                yield rest[:fitting]
                rest = rest[fitting:]
            yield rest

    def _number(self, number: int, total: int) -> None:
        self.pdf.set_font(FAMILY, "B", 1)  # a page that is returned to has another font than the library believes
        self.line(MARGIN, 199.5, WIDTH - MARGIN)
        self.text(MARGIN, 201.5, self._footer, size=7, colour=MUTED)
        self.text(0, 201.5, f"Page {number} of {total}", size=7, colour=MUTED, right=WIDTH - MARGIN)
