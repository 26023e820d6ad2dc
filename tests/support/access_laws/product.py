"""The access agent in the oracle's form, so that the cases, the laws and the oracle itself can check it.

Results, and what a finding says about its deadline, exemption and handling, are read from what the agent published; people,
candidates and episodes from its table. The system's checks (S1, S2) are left out: they are about the order in which snapshots
arrive, and no law is about that.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from schemas.access import fact_records
from schemas.access.findings import FINDING, LEDGER, STATE
from schemas.codec import Avro
from schemas.message import RecordValue
from streams.core.access.checks import presence
from streams.core.access.state.directory import Directory
from streams.core.access.state.rows import CheckRow
from streams.core.access.state.tenant import TenantState
from streams.engine.in_memory import SentRecord
from tests.support.access_oracle.log import Entry, FactDict, facts_of
from tests.support.access_oracle.results import NOTHING, Answers, Deadline, Finding, Row
from tests.support.company import AVRO, TENANT, Company

IN_PROGRESS: Final = 2
REASONS: Final = {
    "presence_unsettled": "contradiction", "account_not_identified": "not_identified", "staff_withdrawn": "withdrawn", "staff_stale": "stale",
    "role_unknown": "intercom_role_unknown", "staff_role_unknown": "role_unknown",
}  # fmt: skip
"""The agent's reasons, in the oracle's words."""


def answer(history: Sequence[Entry]) -> Answers:
    """Return the answers after the whole history."""
    return answers_of(processed(history), len(history) - 1, Reader()) if history else NOTHING


def processed(history: Sequence[Entry]) -> Company:
    """Return the company after the whole history."""
    company = Company()
    for record in records_of(history):
        company.process([record])
    return company


def walk(history: Sequence[Entry]) -> Iterator[Answers]:
    """Yield the answers after each fact."""
    company, reader = Company(), Reader()
    for position, record in enumerate(records_of(history)):
        company.process([record])
        yield answers_of(company, position, reader)


def records_of(history: Sequence[Entry], begin: int = 0, between: int = 1) -> Iterator[RecordValue]:
    """Yield the records of the log from a place on; an entry without an offset is behind the one before it, others so far from one another."""
    offset = -1
    for place, entry in enumerate(history):
        offset = offset + 1 if entry.get("offset", place) is None else place * between
        if place >= begin:
            key, value = encoded(entry["fact"])
            yield RecordValue(key, value, (), offset, entry["log_time"])


_known: dict[int, tuple[FactDict, bytes, bytes]] = {}  # by the fact's identity: the laws ask about the same facts again and again
_KNOWN_AT_MOST: Final = 2_000


def encoded(fact: FactDict) -> tuple[bytes, bytes]:
    found = _known.get(id(fact))
    if found is None or found[0] != fact:
        if len(_known) >= _KNOWN_AT_MOST:
            _known.clear()
        [struct] = facts_of([{"fact": fact}])
        found = _known[id(fact)] = (copy.deepcopy(fact), struct.tenant.encode(), fact_records.encode(AVRO, struct))
    return found[1:]


class AnswersOnly(Avro):
    """Encodes what a law reads of the agent, and quickly; the bytes themselves are for the walk and for the law of replay."""

    def encode(self, name: str, value: dict[str, Any]) -> bytes:
        if name == STATE:
            return msgspec.msgpack.encode(value)
        return b"" if name in (FINDING, LEDGER) else super().encode(name, value)


ANSWERS_ONLY: Final = AnswersOnly.local()


class Reader:
    """Reads what the agent sends: the latest row of each check, and the findings with all their events."""

    def __init__(self, decode: Callable[[bytes], dict[str, Any]] = lambda data: AVRO.decode(data)[1]) -> None:
        self._decode = decode
        self.read = 0
        self.findings: dict[str, Finding] = {}
        self.states: dict[
            tuple[str, str, str], dict[bytes, dict[str, Any]]
        ] = {}  # by (app_id, account or "", check), then by key

    def follow(self, sent: Sequence[SentRecord]) -> None:
        for record in sent[self.read :]:
            if record.topic == "access.violations.json":
                event = json.loads(record.value or b"")
                if event["unmapped"]["check"].startswith("C"):
                    _follow(self.findings, event)
            elif record.topic == "access.state":
                key = record.key or b""
                _, check, app_id, account, *_ = key.decode().split("|")
                keys = self.states.setdefault((app_id, account, check), {})
                keys.pop(key, None)
                if record.value is not None:
                    keys[key] = self._decode(record.value)
        self.read = len(sent)

    def continued(self, decode: Callable[[bytes], dict[str, Any]]) -> "Reader":
        """Return a reader of what is sent from here on."""
        other = Reader(decode)
        other.findings = {uid: _copy(finding) for uid, finding in self.findings.items()}
        other.states = {subject: dict(keys) for subject, keys in self.states.items()}
        return other

    def state(self, *subject: str) -> dict[str, Any] | None:
        """Return the row of a check: there is one."""
        rows = list(self.states.get(subject, {}).values())
        assert len(rows) <= 1, subject
        return rows[0] if rows else None


def answers_of(company: Company, position: int, reader: Reader) -> Answers:
    """Return the answers at a position of the log from what the company sent and has in its table."""
    reader.follow(company.sent)
    state, findings = TenantState(company.table, TENANT), {uid: _copy(finding) for uid, finding in reader.findings.items()}
    directory, now = Directory(state), state.log.now
    rows = {tuple(item.split("|")): row for item, row in state.checks.walk() if item.rpartition("|")[2].startswith("C")}
    for (app_id, account, check), row in rows.items():
        if row.episode is not None:
            finding = findings[row.episode.uid]
            finding.people, finding.since = row.episode.people, row.episode.since
            published = reader.state(app_id, account, check)
            assert published is not None, (app_id, account, check)
            finding.status, finding.reason = published["result"], _reason(published["reason"])
            assert finding.closed is None, (app_id, account, check)
    answered = {
        (app_id, account or None, check): _row(row, reader.state(app_id, account, check), (app_id, account), directory, now)
        for (app_id, account, check), row in rows.items()
        if row.check_result is not None
    }
    accounts: dict[tuple[str, str], dict[str, Row]] = {}
    for (app_id, account, check), row in answered.items():
        if account is not None:
            accounts.setdefault((app_id, account), {})[check] = row
    for (app_id, account), checks in accounts.items():
        for check in {"C2", "C4", "C5"} - set(checks):
            checks[check] = Row(check=check, app_id=app_id, account=account, status="NONE", reason="", since=0)
    return Answers(
        now=now,
        position=position,
        accounts=accounts,
        workspaces={app_id: row for (app_id, account, _), row in answered.items() if account is None},
        presence={key: _presence(state, key) for key in state.account_keys()},
        open=tuple(finding for finding in findings.values() if finding.closed is None),
        closed=tuple(finding for finding in findings.values() if finding.closed is not None),
    )


def _row(row: CheckRow, published: dict[str, Any] | None, subject: tuple[str, str], directory: Directory, now: int) -> Row:
    result = row.check_result
    assert result is not None
    person = directory.person_of(result.staff) if result.staff else None
    return Row(
        check=result.check,
        app_id=subject[0],
        account=subject[1] or None,
        status=published["result"] if published else result.result,
        reason=_reason(published["reason"] if published else result.reason),
        person=result.staff,
        person_ids=person.ids if person else (),
        candidates=result.candidates,
        confidence=result.confidence,
        since=published["since"] if published else result.since,
        has_finding=row.episode is not None,
        finding_since=row.episode.since if row.episode else None,
        finding_people=result.people,
        silent=person is not None and person.silent(now),
        due=published["due_time"] if published else None,
        sla_state=published["sla_state"] if published else None,
    )


def _reason(reason: str) -> str:
    return REASONS.get(reason, reason)


def _follow(findings: dict[str, Finding], event: dict[str, Any]) -> None:
    uid, extra = event["finding_info"]["uid"], event["unmapped"]
    if uid not in findings or event["activity_id"] == 1:  # the same cause can create it again, long after it was closed
        findings[uid] = Finding(
            check=extra["check"],
            app_id=extra["app_id"],
            account=extra.get("account"),
            uid=uid,
            cause="",
            people=(),
            person=extra.get("staff"),
            status=extra.get("result") or "",
            reason=_reason(extra["reason"]),
            confidence=event["confidence_id"],
            created=event["time"],
            since=event["start_time"],
            created_log_time=event["finding_info"]["created_time"],
            stay_since=None,
        )
    finding = findings[uid]
    finding.sla_state, finding.baseline = extra.get("sla_state"), extra.get("baseline", False)
    finding.deadline = Deadline(finding.created, extra["due_time"]) if extra.get("due_time") is not None else None
    handling = extra.get("handling")
    finding.handling = (handling["action"], handling.get("assignee")) if handling else None
    finding.acknowledged = event["status_id"] == IN_PROGRESS
    finding.events.append((event["activity_name"].lower(), event["time"], event["finding_info"]["modified_time"]))
    over = event["activity_id"] == 3
    finding.closed, finding.closed_for = (event["time"], extra["closed_for"]) if over else (None, None)


def _copy(finding: Finding) -> Finding:
    return Finding(**{**vars(finding), "events": list(finding.events)})


def _presence(state: TenantState, key: tuple[str, str]) -> str:
    account = state.accounts.get(*key)
    assert account is not None
    present = presence.presence_of(account, state.snapshots_of(key[0]))
    return "contradiction" if present.unsettled else "active" if present.period else "removed"
