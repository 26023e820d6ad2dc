"""A PDF whose streams are stored as they are: machines differ in their zlib, and so in the bytes that it makes of the same data."""

import zlib

from fpdf.output import OutputProducer
from fpdf.syntax import PDFContentStream, PDFObject


class StoredStreams(OutputProducer):
    """Writes what the library compresses (fonts, and what glyphs they have) without compression."""

    def _add_pdf_obj(self, pdf_obj: PDFObject, trace_label: str | None = None) -> int:
        if isinstance(pdf_obj, PDFContentStream) and pdf_obj.filter is not None:
            pdf_obj._contents = zlib.decompress(pdf_obj._contents)  # noqa: SLF001  # there is no other place for it
            pdf_obj.filter = None
            pdf_obj.length = len(pdf_obj._contents)  # noqa: SLF001
        return super()._add_pdf_obj(pdf_obj, trace_label)
