"""The first page: what the report is about, what it rests on, and the results in numbers."""

from collections.abc import Iterator
from typing import Final

from schemas.access.reports import AccessReport
from streams.core.access.checks.table import CHECKS
from streams.ops.reports.pdf.page import ACCENT, INK, MARGIN, MUTED, SHADE, TOP, WHITE, WIDTH, Pages
from streams.ops.reports.pdf.table import TONES, Column, heading, table
from streams.ops.reports.pdf.words import number, span, when

_RESULTS: Final = ("PASS", "FAIL", "DUE", "EXEMPT", "UNKNOWN")


def cover(pages: Pages, report: AccessReport) -> None:
    """Put the title, the numbers that matter most, and what the report rests on."""
    pages.add()
    pages.box(0, 0, WIDTH, 34, ACCENT)
    pages.text(MARGIN, 9.5, "Access report", size=22, style="B", colour=WHITE)
    pages.text(MARGIN, 21, pages.fonts.shown(f"{report.basis.tenant}, {span(report.basis)}"), size=11.5, colour=WHITE)
    pages.y = TOP + 21
    _tiles(pages, report)
    heading(pages, "What this report rests on", "The same arguments give the same bytes, on every machine and at any time.")
    for name, text in _basis(report):
        lines = pages.lines(text, WIDTH - 2 * MARGIN - 48)
        pages.text(MARGIN, pages.y, name, size=8, colour=MUTED)
        for line in lines:
            pages.text(MARGIN + 48, pages.y, line)
            pages.y += 4.5


def results(pages: Pages, report: AccessReport) -> None:
    """Put the results of each check in numbers."""
    heading(
        pages,
        "Results by check",
        "Each check was answered about every account that had access, or about every workspace. UNKNOWN, and no answer, are no PASS.",
    )
    columns = [Column("Check", 6), Column("What it asks", 30), *(Column(name, 7, is_number=True) for name in _RESULTS)]
    rows = (
        [check, CHECKS[check].title, *(number(found[name]) if name in found else "-" for name in _RESULTS)]
        for check, found in report.summary.results.items()
    )
    table(pages, columns, rows, empty="Nobody had access, and no workspace was known.")


def _tiles(pages: Pages, report: AccessReport) -> None:
    summary = report.summary
    failing, due = (sum(found.get(name, 0) for found in summary.results.values()) for name in ("FAIL", "DUE"))
    active = summary.leavers_accounts.get("Active", 0) + summary.leavers_accounts.get("Unknown", 0)
    tiles = (
        ("Accounts with access", summary.accounts, None),
        ("Answers that fail", failing, "FAIL" if failing else None),
        ("Failing, still in grace", due, "DUE" if due else None),
        ("Leavers with access", active, "FAIL" if active else None),
        ("Removed or still there, late", summary.late, "DUE" if summary.late else None),
        ("Exemptions in force", summary.exemptions, "EXEMPT" if summary.exemptions else None),
        ("Windows of UNKNOWN", summary.unknown_windows, "UNKNOWN" if summary.unknown_windows else None),
    )
    gap = 3.0
    width = (WIDTH - 2 * MARGIN - gap * (len(tiles) - 1)) / len(tiles)
    for place, (name, count, tone) in enumerate(tiles):
        x = MARGIN + place * (width + gap)
        ink, ground = TONES[tone] if tone else (INK, SHADE)
        pages.box(x, pages.y, width, 19, ground)
        pages.text(x + 3, pages.y + 2.6, number(count), size=16, style="B", colour=ink)
        pages.text(x + 3, pages.y + 12, name, size=6.8, colour=MUTED)
    pages.y += 19


def _basis(report: AccessReport) -> Iterator[tuple[str, str]]:
    basis = report.basis
    place = basis.known_at
    yield (
        "Known at",
        f"{place.topic}, partition {place.partition}, offset {place.offset}: {place.kind}, taken {when(place.taken)}",
    )
    yield "Bytes of that fact", f"SHA-256 {place.sha256}"
    yield "Facts", _facts(report)
    yield "Head of the ledger", f"entry {number(basis.ledger_entries)}, {basis.ledger_head or 'none'}"
    yield "Rules", f"version {basis.rules}"
    if basis.policy is None:
        yield "Policy", "none was in force"
    else:
        made = f", decided {when(basis.policy.decided)} by {basis.policy.by or '-'}"
        yield "Policy", f"{basis.policy.id}{made}{f': {basis.policy.why}' if basis.policy.why else ''}"
        yield "Content of the policy", f"SHA-256 {basis.policy.hash}"
    yield (
        "Monitoring",
        f"since {when(basis.monitoring_since)}" if basis.monitoring_since else "had not started: findings are of the baseline",
    )


def _facts(report: AccessReport) -> str:
    basis = report.basis
    later = f", {number(basis.later_facts)} of them known later than that" if basis.later_facts else ""
    unread = f"; {number(basis.not_understood)} records that are no fact" if basis.not_understood else ""
    return f"{number(basis.facts)}{later}, from {when(basis.first_fact)} on{unread}"
