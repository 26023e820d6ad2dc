"""One fact of a tenant's log and all that follows from it. Pure: the table, the fact and where it lies in, what is to be said out.

Time is the log's: before a fact is applied, every timer due by then fires as of its own instant.
"""

from itertools import takewhile
from typing import Any, NamedTuple

import msgspec

from schemas.canonical import canonical, digest
from schemas.facts import Fact, plain
from schemas.ids import derived
from schemas.violations import CheckState, LedgerEntry, Output
from streams.core.application import apply
from streams.core.episodes import Cause
from streams.core.evaluation import Evaluation, Told
from streams.core.rows import Exhibit, Log, Source
from streams.core.sightings import Touched
from streams.core.staff import member
from streams.core.state import State


class Place(NamedTuple):
    """Where a fact lies in the log, when the broker took it (ms), and the SHA-256 of its bytes."""

    partition: int
    offset: int
    append_time: int
    sha256: str


class Answered(NamedTuple):
    """A key of `access.state` and its new row, None where the check no longer applies; `id` names this change.

    `sequence` is the number of the ledger's entry, so it grows with every change of a key.
    """

    key: str
    id: str
    sequence: int
    row: CheckState | None


class Outcome(NamedTuple):
    """All that follows from one fact."""

    told: list[Told]
    answered: list[Answered]
    entry: LedgerEntry
    now: int


def decide(state: State, fact: Fact, place: Place) -> Outcome:
    """Apply a fact, look again at what it touched, and enter it in the ledger."""
    log = state.log()
    now = max(log.now, place.append_time)
    state.put_log(msgspec.structs.replace(log, now=now))
    evaluation = Evaluation(state, now)
    _fire(state, evaluation, now)
    source = Source(fact.id, fact.kind, fact.time, place.partition, place.offset, place.sha256, fact.evidence)
    touched = apply(state, fact, source, now)
    _look(state, evaluation, touched, fact, Cause(fact.id, Exhibit(source), now if fact.time is None else fact.time, now))
    sequence = state.log().entries + 1
    answered = [
        Answered(key, derived("state", state.tenant, key, sequence), sequence, row)
        for key, row in sorted(evaluation.states.items())
    ]
    entry = _entry(state, fact, place, touched.outcome, [*map(_of_finding, evaluation.told), *map(_of_answer, answered)])
    return Outcome(evaluation.told, answered, entry, now)


def _fire(state: State, evaluation: Evaluation, now: int) -> None:
    """Fire what is due, the earliest first, each as of its own instant; the cause is the fact that armed it, never the tick."""
    due = list(takewhile(lambda each: each[0] <= now, state.timers()))
    for at, timer in due:
        state.disarm(at, timer.person)
        person = state.person(timer.person)
        if person is None:
            continue
        state.put_person(msgspec.structs.replace(person, armed=None))
        cause = Cause(derived("employment.ended", at, timer.fact), None, at, now)
        for key in _accounts_of(state, timer.person):
            evaluation.account(key, cause, at)


def _accounts_of(state: State, person: str) -> list[tuple[str, str]]:
    row = state.person(person)
    records = [record for key in row.records if (record := state.record(key))] if row else []
    found = member(records, person)
    addressed = {key for address in found.addresses for key in state.address(address).accounts} if found else set()
    return sorted(addressed | set(row.accounts if row else ()))


def _look(state: State, evaluation: Evaluation, touched: Touched, fact: Fact, cause: Cause) -> None:
    for app_id in sorted(touched.workspaces):
        evaluation.workspace(app_id, cause)
    for key in sorted(touched.accounts):
        account = state.account(key)
        if account is not None and touched.past is not None:
            evaluation.past(account, touched.past, cause._replace(id=derived(fact.id, "past")))
        if account is not None and touched.interrupted is not None:
            evaluation.absent(account, cause._replace(moment=touched.interrupted))
        evaluation.account(key, cause, cause.now)


def _entry(state: State, fact: Fact, place: Place, outcome: str, outputs: list[Output]) -> LedgerEntry:
    log: Log = state.log()
    entry = LedgerEntry(
        tenant=state.tenant,
        sequence=log.entries + 1,
        fact=fact.id,
        kind=fact.kind,
        outcome=outcome,
        partition=place.partition,
        offset=place.offset,
        append_time=place.append_time,
        log_time=log.now,
        value_sha256=place.sha256,
        outputs=tuple(outputs),
        previous=log.head,
        hash="",
    )
    sealed = msgspec.structs.replace(entry, hash=seal(entry))
    state.put_log(msgspec.structs.replace(log, entries=sealed.sequence, head=sealed.hash))
    return sealed


def seal(entry: LedgerEntry) -> str:
    """Return the hash that closes an entry: of everything in it but the hash itself."""
    whole = plain(entry)
    whole.pop("hash")
    return digest(canonical(whole))


def _of_finding(told: Told) -> Output:
    return Output(topic="access.violations", id=told.finding.metadata.uid, sha256=_hash(plain(told.finding)))


def _of_answer(answered: Answered) -> Output:
    return Output(topic="access.state", id=answered.id, sha256=_hash(None if answered.row is None else plain(answered.row)))


def _hash(value: Any) -> str:
    return digest(canonical(value))
