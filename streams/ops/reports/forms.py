"""A report as bytes: JSON, CSV or PDF. Each is a function of the report alone, without clock, chance, or fonts of the machine."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from schemas.access.reports import AccessReport
from schemas.canonical import digest
from schemas.json_lines import json_line
from streams.ops.reports.csv_form import csv_bytes
from streams.ops.reports.pdf.document import pdf_bytes


def json_bytes(report: AccessReport) -> bytes:
    """Return the report as one line of JSON."""
    return json_line(report) + b"\n"


def json_digest(report: AccessReport) -> str:
    """Return the SHA-256 of `json_bytes`: what `sha256sum` says of the file, and what the other forms carry."""
    return digest(json_bytes(report))


FORMS: Final = MappingProxyType[str, Callable[[AccessReport], bytes]]({
    "json": json_bytes,
    "csv": lambda report: csv_bytes(report, json_digest(report)),
    "pdf": lambda report: pdf_bytes(report, json_digest(report)),
})  # fmt: skip
