"""The steps of a story: a fact, what the ledger has of it, and how answers and findings of the subject changed by it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from schemas.access.facts import Evidence, Fact
from schemas.access.findings import CheckState, FindingEvidence
from schemas.cloudevents import timestamp
from streams.core.access.findings.build import FindingEvent
from streams.core.access.findings.episodes import CLOSE, CREATE, UPDATE
from streams.core.access.processing.process import ChunkResult, StateChange
from streams.core.access.reports.story.subject import Subject
from streams.core.access.state.values import LogPosition

_EVENTS: Final = {CREATE: "opened", UPDATE: "updated", CLOSE: "closed"}
_ELSEWHERE: Final = ("id", "tenant", "kind", "source", "basis", "time", "actor", "evidence", "person")


class StoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that changed. `before` and `result` are None where the check does not apply. Times are RFC 3339."""

    check: str
    workspace: str
    account: str
    before: str | None
    result: str | None
    reason: str | None
    since: str | None
    due: str | None = None


class StoryFinding(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a finding, with the evidence it cites."""

    finding: str
    event: str
    happened: str
    check: str
    workspace: str
    account: str
    time: str
    result: str | None
    message: str
    closed_for: str | None
    evidence: tuple[FindingEvidence, ...]


class StoryStep(msgspec.Struct, frozen=True, kw_only=True):
    """A fact and what followed. `at` is log time, `time` when it was true by its source; `says` has its parts that are not empty.

    `offset` and `sha256` are where it lies in `access.facts` and its hash, `entry` and `hash` the ledger's last entry about it.
    """

    at: str
    fact: str
    kind: str
    source: str
    basis: str
    time: str | None
    by: str | None
    why: str | None
    offset: int
    sha256: str
    says: dict[str, Any]
    evidence: tuple[Evidence, ...]
    outcome: str
    entry: int | None
    hash: str | None
    answers: tuple[StoryAnswer, ...]
    findings: tuple[StoryFinding, ...]

    def __repr__(self) -> str:
        return f"StoryStep({self.kind!r}, {self.fact!r}, ***)"


class StoryRecord:
    """Follows a tenant's facts and notes the steps of a subject."""

    def __init__(self, subject: Subject) -> None:
        self.steps: list[StoryStep] = []
        self.answers: dict[str, CheckState] = {}  # at present, by key
        self._subject = subject

    def take(self, fact: Fact, position: LogPosition, results: Iterable[ChunkResult]) -> None:
        """Take a fact and all that followed from it."""
        answers: list[StoryAnswer] = []
        findings: list[StoryFinding] = []
        outcome, entry, now = "", None, position.append_time
        for result in results:
            answers += self._answers(result.states)
            findings += self._findings(result.findings)
            now = result.now
            if result.entry is not None:
                outcome, entry = result.entry.outcome, result.entry
        if answers or findings or self._subject.is_about(fact):
            person = fact.person
            self.steps.append(
                StoryStep(
                    at=timestamp(now),
                    fact=fact.id,
                    kind=fact.kind,
                    source=fact.source,
                    basis=fact.basis,
                    time=None if fact.time is None else timestamp(fact.time),
                    by=(person.actor if person else None) or (fact.actor.id if fact.actor else None),
                    why=person.text if person and fact.basis == "decided" else None,
                    offset=position.offset,
                    sha256=position.sha256,
                    says=_says(fact) if self._subject.is_about(fact) else {},
                    evidence=fact.evidence,
                    outcome=outcome,
                    entry=entry.sequence if entry else None,
                    hash=entry.hash if entry else None,
                    answers=tuple(answers),
                    findings=tuple(findings),
                )
            )

    def _answers(self, changes: Iterable[StateChange]) -> Iterator[StoryAnswer]:
        for change in changes:
            _, check, app_id, account, *_ = change.key.split("|")
            if (app_id, account) in self._subject.accounts:
                before, row = self.answers.pop(change.key, None), change.row
                if row is not None:
                    self.answers[change.key] = row
                if (before and before.result, before and before.reason) != (row and row.result, row and row.reason):
                    yield StoryAnswer(
                        check=check,
                        workspace=app_id,
                        account=account,
                        before=before.result if before else None,
                        result=row.result if row else None,
                        reason=row.reason if row else None,
                        since=timestamp(row.since) if row else None,
                        due=timestamp(row.due_time) if row and row.due_time is not None else None,
                    )

    def _findings(self, events: Iterable[FindingEvent]) -> Iterator[StoryFinding]:
        for event in events:
            key, finding = event.key, event.finding
            if (key.app_id, key.account) in self._subject.accounts:
                yield StoryFinding(
                    finding=finding.finding_info.uid,
                    event=finding.metadata.uid,
                    happened=_EVENTS[finding.activity_id],
                    check=key.check,
                    workspace=key.app_id,
                    account=key.account,
                    time=timestamp(finding.time),
                    result=finding.unmapped.result,
                    message=finding.message,
                    closed_for=finding.unmapped.closed_for,
                    evidence=finding.evidences,
                )


def _says(fact: Fact) -> dict[str, Any]:
    """Return the parts of a fact that say something, personal ones included."""
    parts: dict[str, Any] = msgspec.to_builtins(fact)
    present = {name: _present(part) for name, part in parts.items() if name not in _ELSEWHERE and part is not None}
    person = _present(parts["person"] or {})
    person.pop("actor", None)
    return {**present, **person}


def _present(part: Any) -> Any:
    return {name: value for name, value in part.items() if value not in (None, (), [], {})} if isinstance(part, dict) else part
