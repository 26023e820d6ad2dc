"""Past faults of the access agent, each put back by replacing a function: who compares its answers has to notice every one."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import msgspec
import pytest

from streams.core.access.checks import deadlines, freshness, offboarded, presence, valid_access
from streams.core.access.checks.check import AccountInput
from streams.core.access.facts import choices, snapshots
from streams.core.access.facts import freshness as facts_freshness
from streams.core.access.processing import chunk, coverage, timers
from streams.core.access.state import observation, read_settings, references, staff, staff_reader
from streams.core.access.state.directory import Directory

Fault = Callable[[pytest.MonkeyPatch], None]


def _dated_1970(patch: pytest.MonkeyPatch) -> None:
    right = chunk.FactReference.of
    patch.setattr(chunk.FactReference, "of", lambda fact, _, *others: right(fact, fact.time or 0, *others))


def _link_waits_for_its_record(patch: pytest.MonkeyPatch) -> None:
    right = AccountInput.link.fget
    assert right is not None
    patch.setattr(AccountInput, "link", property(lambda view: right(view) if view.linked else None))


def _silent_link_gives_way(patch: pytest.MonkeyPatch) -> None:
    right = AccountInput.link.fget
    assert right is not None
    patch.setattr(
        AccountInput, "link", property(lambda view: None if view.linked and view.linked.silent(view.at) else right(view))
    )


def _withdrawn_record_loses_its_end(patch: pytest.MonkeyPatch) -> None:
    right = staff._end
    patch.setattr(
        staff, "_end", lambda given, withdrawn, *others: None if withdrawn is not None else right(given, withdrawn, *others)
    )


def _late_record_is_never_withdrawn(patch: pytest.MonkeyPatch) -> None:
    right = staff_reader.read_record

    def read(row: Any, snapshots: Any, *others: Any) -> Any:
        return right(row, snapshots if row.listed else (), *others)

    patch.setattr(staff_reader, "read_record", read)


def _started_voids_other_snapshots(patch: pytest.MonkeyPatch) -> None:
    right = snapshots.started

    def started(state: Any, fact: Any, *others: Any) -> Any:
        snapshot = snapshots.snapshot_of(fact)
        for id_, _ in list(state.backlog.staff_snapshots.stagings.walk(snapshot.source)):
            for item, _ in list(state.backlog.staff_snapshots.staged.walk(snapshot.source, id_)):
                state.backlog.staff_snapshots.staged.delete(snapshot.source, id_, item)
            state.backlog.staff_snapshots.stagings.delete(snapshot.source, id_)
        return right(state, fact, *others)

    from streams.core.access.facts import apply

    table = MappingProxyType({**apply._APPLY, "staff.snapshot.started": started})
    patch.setattr(apply, "_APPLY", table)


def _contradictions_by_the_millisecond(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(presence, "SECOND", 1)


def _end_by_status_is_the_latest(patch: pytest.MonkeyPatch) -> None:
    right = staff._asserted_end

    def end(row: Any) -> Any:
        row = observation.whole(row)
        latest = tuple(msgspec.structs.replace(each, times=each.times[-1:]) for each in row.status)
        return right(msgspec.structs.replace(row, status=latest))

    patch.setattr(staff, "_asserted_end", end)


def _policy_has_no_date(patch: pytest.MonkeyPatch) -> None:
    right = valid_access.in_force
    patch.setattr(valid_access, "in_force", lambda *of: right(*of)._replace(since=None))


def _classification_hides_a_leaver(patch: pytest.MonkeyPatch) -> None:
    right = offboarded.OFFBOARDED.answer

    def answer(check: Any, view: AccountInput, before: Any) -> Any:
        return None if view.classification and not view.link else right(check, view, before)

    hidden = msgspec.structs.replace(offboarded.OFFBOARDED, answer=answer)
    from streams.core.access.checks import table

    patch.setattr(table, "ACCOUNT_CHECKS", tuple(hidden if check.id == "C2" else check for check in table.ACCOUNT_CHECKS))


def _numbers_do_not_part_people(patch: pytest.MonkeyPatch) -> None:
    def could(self: Directory, groups: Any) -> bool:
        sources = [source for group in groups for source in {key[0] for key in group}]
        return len(sources) == len(set(sources))

    patch.setattr(Directory, "_could_all_be_one", could)


def _absence_never_ends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(read_settings, "absence_of", lambda _: {})


def _sources_are_never_stale(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(freshness, "_of_source", lambda *_: None)


def _a_stale_source_closes_findings(patch: pytest.MonkeyPatch) -> None:
    right = offboarded._open

    def opened(check: Any, view: AccountInput, reason: str, since: int, **others: Any) -> Any:
        outcome = right(check, view, reason, since, **others)
        closed = msgspec.structs.replace(outcome.result, held=None)
        return outcome._replace(result=closed) if reason == freshness.STALE else outcome

    patch.setattr(offboarded, "_open", opened)


def _a_stale_source_is_noticed_by_the_next_fact_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(facts_freshness, "arm", lambda *_: None)


def timers_as_of_the_fact(patch: pytest.MonkeyPatch) -> None:
    """Timers are answered as of the fact that lets time move, so a tick in between changes the date of what they open."""
    right = timers._evaluate

    def evaluate(chunk: Any, at: int, timer: Any, event: str) -> None:
        right(chunk, max(at, chunk.position.append_time), timer, event)

    patch.setattr(timers, "_evaluate", evaluate)


def _absence_hides_an_end_ahead(patch: pytest.MonkeyPatch) -> None:
    deadline = offboarded.OFFBOARDED.deadline
    assert deadline is not None

    def instants(of: staff.Employment) -> set[int]:
        return {instant for instant in (of.withdrawn, of.end and of.end.instant) if instant is not None}

    hidden = msgspec.structs.replace(offboarded.OFFBOARDED, deadline=deadline._replace(of_record=instants))
    patch.setattr(deadlines, "ACCOUNT_CHECKS", tuple(hidden if check.id == "C2" else check for check in deadlines.ACCOUNT_CHECKS))


def _exemptions_lead_nowhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(references, "_exempted", lambda _: set())


def _a_decision_evaluates_as_it_is_alone(patch: pytest.MonkeyPatch) -> None:
    asked: list[Directory] = []

    class AfterAlone(Directory):
        def accounts_of(self, key: Any) -> Any:
            asked.append(self)
            return set() if len(asked) % 2 else super().accounts_of(key)

    patch.setattr(choices, "Directory", AfterAlone)


def _silence_is_dated_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(coverage, "_reports", lambda row: row is not None and row.reason == "stale")


def _choices_are_never_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(valid_access, "with_chosen_role", lambda verdict, *_: verdict)


FAULTS: Final = MappingProxyType[str, Fault]({
    "A": _dated_1970,
    "B": _link_waits_for_its_record,
    "C": _silent_link_gives_way,
    "D": _withdrawn_record_loses_its_end,
    "E": _late_record_is_never_withdrawn,
    "F": _started_voids_other_snapshots,
    "G": _contradictions_by_the_millisecond,
    "H": _end_by_status_is_the_latest,
    "I": _policy_has_no_date,
    "L": _classification_hides_a_leaver,
    "M": _numbers_do_not_part_people,
    "O": _absence_never_ends,
    "stale sources pass": _sources_are_never_stale,
    "stale sources close": _a_stale_source_closes_findings,
    "stale sources have no deadline": _a_stale_source_is_noticed_by_the_next_fact_only,
    "choices are never compared": _choices_are_never_compared,
})  # fmt: skip
"""By the letter of the case in tests/support/access_oracle/cases.json, or in words."""

MISSED_TRIGGERS: Final = MappingProxyType[str, Fault]({
    "absence hides an end ahead": _absence_hides_an_end_ahead,
    "exemptions lead nowhere": _exemptions_lead_nowhere,
    "a decision evaluates as it is alone": _a_decision_evaluates_as_it_is_alone,
    "silence is dated once": _silence_is_dated_once,
})  # fmt: skip
"""Faults for which nothing is evaluated, though an answer changed."""
