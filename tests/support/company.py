"""A company's history for tests: facts in the order of the log, processed by the access agent in memory."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.access import fact_records, facts
from schemas.access.facts import (
    AccessSettings,
    Admin,
    Classification,
    Evidence,
    Fact,
    FactPersonalData,
    LocalTime,
    Policy,
    Rule,
    Snapshot,
    StaffRecordData,
)
from schemas.access.limits import LAST
from schemas.canonical import digest
from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import RecordValue, header
from streams.agents.access import ROWS, ProcessingLimits, access
from streams.core.access.checks.coverage import CHECK as COVERAGE
from streams.core.access.processing.coverage import TIMER as RENEWAL
from streams.core.access.state.tenant import TenantState
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable, SentRecord

AVRO = Avro.local()
TENANT = "acme"
APP = "ws1"
SECOND = 1000
DAY = 86_400 * SECOND
T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class Company:
    """Methods append facts, and return what the agent sent, decoded."""

    def __init__(self, limits: ProcessingLimits | None = None, avro: Avro = AVRO) -> None:
        self.agent = access(avro, limits=limits)
        self.pending_work: list[bytes] = []
        self.changed: dict[str, bytes | None] = {}  # by the last transaction
        self.table = MemoryTable(ROWS)
        self.log: list[RecordValue] = []
        self.sent: list[SentRecord] = []
        self.clock = T0 + 10 * DAY
        self.policy_id: str | None = None

    def add(self, fact: Fact, *, at: int | None = None) -> list[dict[str, Any]]:
        """Append a fact and process it; return the findings it led to, as OCSF."""
        self.clock = max(self.clock + SECOND, at or 0)
        record = RecordValue(fact.tenant.encode(), fact_records.encode(AVRO, fact), (), len(self.log), self.clock)
        self.log.append(record)
        return self.process([record])

    def process(self, records: Iterable[RecordValue]) -> list[dict[str, Any]]:
        """Process records and all pending work; return the findings."""
        before = len(self.sent)
        self.step(records)
        while self.resume() is not None:
            pass
        return [json.loads(sent.value or b"") for sent in self.sent[before:] if sent.topic == "access.violations.json"]

    def step(self, records: Iterable[RecordValue]) -> list[SentRecord]:
        """Process records in one transaction, without resuming pending work; return what was sent."""
        out = ListOutbox()
        cursor = self.agent.step(Batch("access.facts", 0, list(records)), self.table, out)
        return self._commit(out, self.pending_work if cursor is None else [*self.pending_work, cursor])

    def resume(self) -> list[SentRecord] | None:
        """Resume the oldest pending work in one transaction, as the engine does; return what was sent, None without work."""
        if not self.pending_work:
            return None
        assert self.agent.resume is not None
        out = ListOutbox()
        cursor = self.agent.resume(self.pending_work[0], self.table, out)
        return self._commit(out, [*([] if cursor is None else [cursor]), *self.pending_work[1:]])

    def _commit(self, out: ListOutbox, pending_work: list[bytes]) -> list[SentRecord]:
        self.changed = self.table.commit()
        self.pending_work = pending_work
        self.sent += out.sent
        return out.sent

    def deadlines(self) -> list[int]:
        """Return the instants (ms) of all timers but the one that renews the rows about coverage."""
        timers = TenantState(self.table, TENANT).timers.due(LAST)
        return [at for at, timer in timers if timer.check != RENEWAL]

    def findings(self) -> list[dict[str, Any]]:
        return [json.loads(sent.value or b"") for sent in self.sent if sent.topic == "access.violations.json"]

    def states(self) -> dict[str, dict[str, Any]]:
        """Return `access.state` as a compacted reader sees it, without its rows about coverage."""
        return {key: row for key, row in self.rows().items() if row["check"] != COVERAGE}

    def coverage(self) -> dict[str, dict[str, Any]]:
        """Return the rows about coverage by workspace or staff source."""
        return {row["source"] or row["app_id"]: row for row in self.rows().values() if row["check"] == COVERAGE}

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return `access.state` as a compacted reader sees it."""
        rows: dict[str, dict[str, Any]] = {}
        for sent in self.sent:
            if sent.topic == "access.state":
                key = (sent.key or b"").decode()
                rows.pop(key, None)
                if sent.value is not None:
                    rows[key] = AVRO.decode(sent.value)[1]
        return rows

    def results(self) -> dict[str, str]:
        """Return the current results by `check account` (or the workspace)."""
        return {f"{row['check']} {row['account'] or row['app_id']}": row["result"] for row in self.states().values()}

    def ledger(self) -> list[dict[str, Any]]:
        return [AVRO.decode(sent.value or b"")[1] for sent in self.sent if sent.topic == "access.ledger"]

    def ids(self, topic: str) -> list[str]:
        return [header(sent.headers, "ce_id") or "" for sent in self.sent if sent.topic == topic]

    # what happens in a company

    def added(self, account: str, address: str | None = None, **how: Any) -> list[dict[str, Any]]:
        return self.add(admin("admin.added", account, address, **how))

    def removed(self, account: str, **how: Any) -> list[dict[str, Any]]:
        return self.add(admin("admin.removed", account, **how))

    def seen(self, account: str, address: str | None = None, **how: Any) -> list[dict[str, Any]]:
        return self.add(admin("admin.seen", account, address, **how))

    def staff(self, record: str, *addresses: str, **how: Any) -> list[dict[str, Any]]:
        return self.add(staff(record, *addresses, **how))

    def policy(self, *rules: Rule) -> list[dict[str, Any]]:
        fact = policy(*rules, replaces=self.policy_id)
        self.policy_id = fact.id
        return self.add(fact)

    def decided(self, kind: str, account: str, replaces: str | None = None, **parts: Any) -> list[dict[str, Any]]:
        return self.add(decision(kind, account, replaces, **parts))

    def tick(self, at: int) -> list[dict[str, Any]]:
        fact = Fact(
            id=derived("tick", len(self.log)), tenant=TENANT, kind="clock.ticked", source="clock", basis="observed", time=at
        )
        return self.add(fact, at=at)

    def snapshot(self, *rows: Fact, requested: int, count: int | None = None) -> list[dict[str, Any]]:
        """Import a complete snapshot of the source `hr`; return the findings of its last fact."""
        findings: list[dict[str, Any]] = []
        for fact in snapshot_facts(*rows, requested=requested, count=count):
            findings = self.add(fact)
        return findings

    def teammates(self, *rows: Fact, requested: int, **how: Any) -> list[dict[str, Any]]:
        """Import a complete snapshot of the workspace's teammates; return the findings of its last fact."""
        findings: list[dict[str, Any]] = []
        for fact in teammates_facts(*rows, requested=requested, **how):
            findings = self.add(fact)
        return findings


def admin(
    kind: str,
    account: str,
    address: str | None = None,
    *,
    at: int = T0,
    app: str = APP,
    role: str | None = None,
    name: str | None = None,
) -> Fact:
    id_ = derived(kind, app, account, at, address)
    return Fact(
        id=id_, tenant=TENANT, kind=kind, source="intercom.webhook", basis="observed", time=at, app_id=app, account=account,
        person=FactPersonalData(name=name, addresses=(address,) if address else ()),
        admin=Admin(role_name=role) if role else None,
        evidence=(Evidence(topic="intercom.admins", partition=0, offset=7, sha256=digest(id_.encode()), id=f"notif_{id_}"),),
    )  # fmt: skip


def staff(
    record: str, *addresses: str, at: int = T0, ends: int | None = None, roles: tuple[str, ...] | None = None, source: str = "hr",
    status: str | None = None, name: str | None = None, employee: str | None = None, **places: str,
) -> Fact:  # fmt: skip
    """Return an observation of a staff record; `places` are its zone and calendar."""
    asserts = ["addresses", "name", "ends", *(["roles"] if roles is not None else []), *(["status"] if status else [])]
    asserts += [*(["employee"] if employee else []), *places]
    end = None if ends is None else LocalTime(given="2026-01-01", zone="UTC", rule="end_of_day", instant=ends)
    return Fact(
        id=derived("staff", source, record, at, ends, status, *addresses, *(roles or ()), *places.values()),
        tenant=TENANT, kind="staff.record", source=f"staff:{source}", basis="asserted", time=at,
        person=FactPersonalData(name=name, addresses=addresses),
        record=StaffRecordData(
            source=source, record=record, asserts=tuple(asserts), ends=end, roles=roles or (), status=status, employee=employee,
            **places,
        ),
        evidence=(Evidence(file="staff.csv", line=2, sha256=digest(record.encode())),),
    )  # fmt: skip


def snapshot_facts(*rows: Fact, requested: int, count: int | None = None) -> list[Fact]:
    """Return the facts of a complete snapshot of the source `hr`."""
    id_ = derived("listing", requested)
    part = Snapshot(id=id_, source="hr", requested=requested)
    base = {"tenant": TENANT, "source": "staff:hr", "basis": "asserted", "time": requested}
    staged = [msgspec.structs.replace(row, id=derived(id_, row.id), kind="staff.snapshot.row", snapshot=part) for row in rows]
    end = msgspec.structs.replace(
        part, count=len(rows) if count is None else count, hash=facts.snapshot_hash(row.id for row in staged)
    )
    return [
        Fact(id=derived(id_, "start"), kind="staff.snapshot.started", snapshot=part, **base),
        *staged,
        Fact(id=derived(id_, "end"), kind="staff.snapshot.ended", snapshot=end, **base),
    ]


def teammates_facts(*rows: Fact, requested: int, count: int | None = None, app: str = APP) -> list[Fact]:
    """Return the facts of a complete snapshot of a workspace's teammates; `rows` are facts about those it lists."""
    part = Snapshot(id=derived("teammates", app, requested), source="intercom", requested=requested)
    base = {"tenant": TENANT, "source": "intercom.rest", "basis": "observed", "time": requested, "app_id": app}
    staged = [
        msgspec.structs.replace(row, id=derived(part.id, row.id), kind="admins.snapshot.row", time=requested, snapshot=part)
        for row in rows
    ]
    end = msgspec.structs.replace(
        part, count=len(rows) if count is None else count, hash=facts.snapshot_hash(row.id for row in staged)
    )
    return [
        Fact(id=derived(part.id, "start"), kind="admins.snapshot.started", snapshot=part, **base),
        *staged,
        Fact(id=derived(part.id, "end"), kind="admins.snapshot.ended", snapshot=end, **base),
    ]


def policy(*rules: Rule, replaces: str | None = None) -> Fact:
    hash_ = digest(msgspec.json.encode(rules))
    return Fact(
        id=derived("policy", hash_, replaces), tenant=TENANT, kind="policy.applied", source="operator", basis="decided",
        replaces=replaces, policy=Policy(rules=rules, hash=hash_),
    )  # fmt: skip


def everyone(app: str = APP, **how: Any) -> Rule:
    return Rule(app_id=app, validity="all_staff", **how)


def roles(*names: str, app: str = APP, **how: Any) -> Rule:
    return Rule(app_id=app, validity="staff_roles", roles=names, **how)


def decision(kind: str, account: str, replaces: str | None = None, *, staff: str | None = None, as_: str | None = None) -> Fact:
    return Fact(
        id=derived(kind, account, replaces, staff, as_), tenant=TENANT, kind=kind, source="operator", basis="decided", app_id=APP,
        account=account, replaces=replaces, staff=staff, classification=Classification(kind=as_) if as_ else None,
    )  # fmt: skip


def settings(
    replaces: str | None = None, *, aliases: dict[str, str] | None = None, workspaces: tuple[str, ...] = (),
    further: dict[str, str] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        id=derived("settings", replaces, *(further or {}).values()), tenant=TENANT, kind="settings.applied", source="operator", basis="decided", replaces=replaces,
        settings=AccessSettings(workspaces=workspaces, alias_domains=aliases or {}, further=further or {}, hash="h"),
    )  # fmt: skip


def by_rules(version: str) -> Company:
    """Return a company whose answers follow a version of the rules."""
    company = Company()
    company.add(settings(workspaces=(APP,), further={"rules": f'"{version}"'}))
    return company


def person_of(record: str, source: str = "hr") -> str:
    return derived(TENANT, "staff", source, record)


def story(findings: list[dict[str, Any]]) -> list[str]:
    """Return findings in short: `C1 7 opened`."""
    verbs = {1: "opened", 2: "updated", 3: "closed"}
    lines = []
    for finding in findings:
        extra = finding["unmapped"]
        subject = extra.get("account") or extra["app_id"]
        closed = f" {extra['closed_for']}" if "closed_for" in extra else ""
        lines.append(f"{extra['check']} {subject} {verbs[finding['activity_id']]}{closed}")
    return lines
