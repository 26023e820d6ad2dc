"""Reports against the naive reporter, history after history, and faults that are put into the report to see that they are noticed."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest

from streams.core.access.checks import presence
from streams.core.access.reports import accounts, decisions, leavers
from streams.core.access.reports.lives import FindingLife
from streams.core.access.reports.scope import ReportScope
from tests.support.access_histories.history import history
from tests.support.access_oracle.log import Entry, read_log
from tests.support.access_reports.naive import naive_report
from tests.support.access_reports.product import differences, in_naive_form, reading_of, report_of

DAY: Final = 86_400_000
Patch = pytest.MonkeyPatch
Question = tuple[int, int | None]  # as of which instant (ms), known at which offset


def questions(entries: Sequence[Entry]) -> list[Question]:
    """Return what a history is asked: a day after its end; in its middle, by what was known then and by what is known at its end; by half of it."""
    log = read_log(entries)
    end, middle = log[-1].log_time, log[len(log) // 2].log_time + 5
    return [(end + DAY, None), (middle, None), (middle, len(entries) - 1), (end, len(entries) // 2)]


def disagreements(entries: Sequence[Entry], asked: Sequence[Question]) -> list[str]:
    """Return where a report and the naive reporter differ."""
    found = []
    for as_of, known_at in asked:
        reading = reading_of(entries, ReportScope(as_of, None, known_at))
        lives = report_of(entries, ReportScope(as_of, 0, known_at))
        differing = differences(naive_report(entries, as_of, known_at), in_naive_form(reading, lives))
        found += [f"as of {as_of}, known at {known_at}: {each}" for each in differing]
    return found


def campaign(minutes: float, first: int, *, histories: int | None = None, size: int = 24) -> Iterator[tuple[int, list[str]]]:
    """Yield seed and disagreements of one history after the other, every tenth of them a long one."""
    end, seed = time.monotonic() + minutes * 60, first
    while seed - first < histories if histories is not None else time.monotonic() < end:
        entries = history(seed, size if seed % 10 else 3 * size)
        yield seed, disagreements(entries, questions(entries))
        seed += 1


def _no(*_: Any) -> bool:
    return False


def _none(*_: Any) -> None:
    """Return nothing."""


def _nothing(*_: Any) -> Iterator[Any]:
    return iter(())


def _opened(*of: Any) -> Any:
    return of[1].opened


def _late_facts_are_ignored(patch: Patch) -> None:
    patch.setattr(ReportScope, "_was_true", _no)


def _late_decisions_count(patch: Patch) -> None:
    patch.setattr(ReportScope, "_was_true", lambda self, fact: fact.kind != "clock.ticked" and (fact.time or 0) <= self.as_of)


def _ticks_are_forgotten(patch: Patch) -> None:
    patch.setattr("streams.core.access.reports.replay.FactReplay.advance", _nothing)


def _grace_is_forgotten(patch: Patch) -> None:
    patch.setattr(leavers, "_due", _opened)


def _former_addresses_are_forgotten(patch: Patch) -> None:
    def named(view: Any, row: Any) -> list[str]:
        owner = leavers.matching.match(row, view.directory, view.at).owner
        return [owner.id] if owner is not None and owner.left(view.at) else []

    patch.setattr(leavers, "_named", named)


def _uncertain_accounts_are_left_out(patch: Patch) -> None:
    real = presence.presence_of
    patch.setattr(accounts.presence, "presence_of", lambda *of: real(*of)._replace(unsettled=None))


def _exemptions_are_never_void(patch: Patch) -> None:
    patch.setattr("streams.core.access.processing.evaluation.Evaluation.exemption_voided_at", _none)


def _approvals_never_end(patch: Patch) -> None:
    real = decisions.grant_period
    patch.setattr(decisions, "grant_period", lambda *given: real(given[0], None, [], given[3]))


def _the_last_finding_counts_for_everybody(patch: Patch) -> None:
    def of_leaver(self: Any, app_id: str, account: str, people: Any) -> FindingLife | None:
        return max(self._of_leavers.get((app_id, account), ()), key=lambda life: life.known, default=None)

    patch.setattr("streams.core.access.reports.lives.FindingLives.of_leaver", of_leaver)


FAULTS: Final[dict[str, Callable[[Patch], None]]] = {
    "late facts are ignored": _late_facts_are_ignored,
    "late decisions count": _late_decisions_count,
    "ticks are forgotten": _ticks_are_forgotten,
    "grace is forgotten": _grace_is_forgotten,
    "former addresses are forgotten": _former_addresses_are_forgotten,
    "uncertain accounts are left out": _uncertain_accounts_are_left_out,
    "exemptions are never void": _exemptions_are_never_void,
    "approvals never end": _approvals_never_end,
    "the last finding counts for everybody": _the_last_finding_counts_for_everybody,
}
