"""The document: what it rests on and the results first, then what calls for attention, then everybody who had access."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

from schemas.access.reports import AccessReport
from schemas.json_lines import json_line
from streams.ops.reports.pdf import cover, sections
from streams.ops.reports.pdf.page import Pages
from streams.ops.reports.pdf.words import span


def pdf_bytes(report: AccessReport, json_digest: str) -> bytes:
    """Return the report as PDF; it carries the digest of its JSON."""
    basis = report.basis
    title = f"Access report of {basis.tenant}, {span(basis)}"
    footer = f"SHA-256 of the JSON: {json_digest}"
    with tempfile.TemporaryDirectory() as folder:
        pages = Pages(
            made=datetime.fromisoformat(basis.as_of),
            title=title,
            footer=footer,
            characters=set(json_line(report).decode()),
            folder=Path(folder),
        )
        for put in _PARTS:
            put(pages, report)
        return pages.bytes()


_PARTS: Final = (
    cover.cover,
    cover.results,
    sections.findings,
    sections.leavers,
    sections.times,
    sections.unknown,
    sections.exemptions,
    sections.decisions,
    sections.rules,
    sections.controls,
    sections.access,
)
