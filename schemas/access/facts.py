"""The record of `access.facts`: one observation or decision that may change the result of an access check.

All kinds have one record with optional parts, so that a new kind is a new optional part and every earlier reader can still read
it. `schemas/access/fact_kinds.py` lists the parts of each kind.
"""

from collections.abc import Iterable
from typing import Annotated, Final, TypeAlias

import msgspec

from schemas.canonical import digest
from schemas.encoded import holds

TOPIC: Final = "access.facts"
_TYPE: Final = "access.fact.{}.v1"


class FactPart(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Base of the typed parts of a fact."""


class Evidence(FactPart, frozen=True, kw_only=True):
    """Where something was read: a Kafka record, or a line of a file, with the SHA-256 of its bytes and the event id in it."""

    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    file: str | None = None
    line: int | None = None
    sha256: str
    id: str | None = None


class Actor(FactPart, frozen=True, kw_only=True):
    """Who made the statement: `kind` is operator, connector or principal (of the API); `id` has no address and no name."""

    kind: str
    id: str


class FactPersonalData(FactPart, frozen=True, kw_only=True):
    """All personal fields of a fact, so that they can be encrypted per person. Addresses are as the source spells them."""

    name: str | None = None
    addresses: tuple[str, ...] = ()
    actor: str | None = None  # name or address of who acted
    ip: str | None = None
    text: str | None = None  # free text: a description, a reason, a comment
    metadata: str | None = None  # JSON as the source sent it

    def __repr__(self) -> str:
        return "FactPersonalData(***)"


class LocalTime(FactPart, frozen=True, kw_only=True):
    """A time that a source gave as local text: the text, its zone, the rule that converted it, and the instant (ms)."""

    given: str
    zone: str
    rule: str  # instant, end_of_day, first_day_gone, start_of_day
    instant: int


class Admin(FactPart, frozen=True, kw_only=True):
    """A teammate's account as a payload has it; null where the payload lacks the field, which asserts nothing.

    A `role_id` and a `role_name` that are empty say that the teammate has no role.
    """

    role_id: str | None = None
    role_name: str | None = None
    has_inbox_seat: bool | None = None
    team_ids: tuple[str, ...] | None = None
    away: bool | None = None


class Activity(FactPart, frozen=True, kw_only=True):
    """One event of Intercom's activity log. Its actor is the fact's account; only `person` may name whom it affects."""

    id: str
    type: str


class StaffRecordData(FactPart, frozen=True, kw_only=True):
    """One source's record of a staff member. `asserts` names the fields the source carries, empty ones included."""

    source: str
    record: str
    asserts: tuple[str, ...] = ()
    status: str | None = None  # active, leave, ended, or withdrawn: the source no longer has the record
    status_given: str | None = None
    roles: tuple[str, ...] = ()
    department: str | None = None
    manager: str | None = None
    employee: str | None = None  # the number by which several sources know the same person
    starts: LocalTime | None = None
    ends: LocalTime | None = None
    zone: str | None = None  # IANA name of the zone the person works in
    calendar: str | None = None  # id of the calendar the person works by


class Snapshot(FactPart, frozen=True, kw_only=True):
    """A complete listing in parts: `requested` (ms) is its version, `count` and `hash` close it."""

    id: str
    source: str
    requested: int
    count: int | None = None
    hash: str | None = None


class Grace(FactPart, frozen=True, kw_only=True):
    """Time allowed to fix a failure: a number of hours, days (of 24 hours) or business_days."""

    amount: int
    unit: str


class Rule(FactPart, frozen=True, kw_only=True):
    """Who may have an account in a workspace: `validity` is all_staff, staff_roles, intercom_roles or ticket.

    It holds for `starts` ≤ t < `until` (ms; null is without bound). `grace` has the time allowed to fix a failure, by check.
    """

    app_id: str
    validity: str
    roles: tuple[str, ...] = ()
    intercom_roles: dict[str, tuple[str, ...]] = {}
    starts: int | None = None
    until: int | None = None
    grace: dict[str, Grace] = {}


class Policy(FactPart, frozen=True, kw_only=True):
    """The whole policy of a tenant; a workspace without a rule has none, and one may have several, each for its time."""

    rules: tuple[Rule, ...] = ()
    hash: str


class Classification(FactPart, frozen=True, kw_only=True):
    """The kind of an account: a person's, or that of no single person, which is service, shared, system or external."""

    kind: str
    owner: str | None = None  # a staff reference as in a link: who answers for the account
    expires: int | None = None  # when the access of an external one ends (ms)


class Grant(FactPart, frozen=True, kw_only=True):
    """An exemption or approval: for which check or by which ticket, from when until when (ms; null is without end).

    `approver` is the id of who approved it, as an actor's without name and address.
    """

    id: str
    check: str | None = None
    starts: int | None = None
    expires: int | None = None
    evidence_sha256: str | None = None
    ticket: str | None = None
    approver: str | None = None


class Case(FactPart, frozen=True, kw_only=True):
    """What a person did about a finding: `action` is acknowledged, assigned or commented."""

    finding: str
    action: str
    assignee: str | None = None


class StaffChoice(FactPart, frozen=True, kw_only=True):
    """Which source is right about a field of a person: `field` is employment; a null source takes the decision back."""

    field: str
    source: str | None = None


class AccessSettings(FactPart, frozen=True, kw_only=True):
    """The part of the configuration that can change an answer.

    `further` holds canonical JSON by name (`absence`, `freshness`, `removed_calendars`), and as `calendar` the id of the calendar of people without one.
    """

    workspaces: tuple[str, ...] = ()
    alias_domains: dict[str, str] = {}
    precedence: tuple[str, ...] = ()
    further: dict[str, str] = {}
    hash: str


class UtcOffset(FactPart, frozen=True, kw_only=True):
    """The local time of a zone, in seconds ahead of UTC, from an instant (ms) on."""

    starts: int
    seconds: int


class Calendar(FactPart, frozen=True, kw_only=True):
    """The working days of a calendar, expanded, so that readers need neither a list of holidays nor of time zones.

    `weekend` has weekdays (ISO, 1 is Monday) and `holidays` local dates without work, computed by `made_by` and known up to the local
    date `valid_until`. `offsets` are those of `zone` (IANA), ascending, the first from 0.
    """

    id: str
    holidays: tuple[str, ...] = ()
    weekend: tuple[int, ...] = ()
    made_by: str
    valid_until: str
    zone: str = "UTC"
    offsets: tuple[UtcOffset, ...] = ()


class AlarmTest(FactPart, frozen=True, kw_only=True):
    """A test of the alarm, which is opened or closed; `severity` (OCSF severity_id) is that of its finding."""

    id: str
    is_open: bool
    severity: int = 4


class Rules(FactPart, frozen=True, kw_only=True):
    """A version of the code that evaluates checks."""

    version: str
    hash: str


class DesiredRole(FactPart, frozen=True, kw_only=True):
    """The role that a teammate is to have in Intercom, by its name or id; null takes the choice back."""

    name: str | None = None


class Fact(FactPart, frozen=True, kw_only=True):
    """One fact. `time` is when it was true (ms), by the source's clock; null where only its position in the log counts.

    `basis` is observed, inferred, asserted (by a source of record) or decided (by a person). `replaces` of a decision is the id
    of the decision it replaces, null for the first; a decision that names another one is stale: it is recorded, and has no
    effect.
    """

    id: str
    tenant: str
    kind: str
    source: str
    basis: str
    time: int | None = None
    actor: Actor | None = None
    app_id: str | None = None
    account: str | None = None
    staff: str | None = None
    replaces: str | None = None
    evidence: tuple[Evidence, ...] = ()
    person: FactPersonalData | None = None
    admin: Admin | None = None
    activity: Activity | None = None
    record: StaffRecordData | None = None
    snapshot: Snapshot | None = None
    policy: Policy | None = None
    classification: Classification | None = None
    grant: Grant | None = None
    case: Case | None = None
    choice: StaffChoice | None = None
    settings: AccessSettings | None = None
    calendar: Calendar | None = None
    rules: Rules | None = None
    test: AlarmTest | None = None
    role: DesiredRole | None = None


EncodedFact: TypeAlias = Annotated[msgspec.Raw, holds(Fact)]
_FACT: Final = msgspec.msgpack.Decoder(Fact)


def encode_raw(fact: Fact) -> EncodedFact:
    """Return the fact as MessagePack, as tables store it."""
    return msgspec.Raw(msgspec.msgpack.encode(fact))


def decode_raw(data: EncodedFact) -> Fact:
    """Return the fact from the bytes of `encode_raw`."""
    return _FACT.decode(data)


def type_of(kind: str) -> str:
    """Return the `ce_type` of a kind of fact: readers of one kind filter by headers before they decode."""
    return _TYPE.format(kind)


def snapshot_hash(ids: Iterable[str]) -> str:
    """Return the hash that closes a complete listing, from the ids of its rows in any order."""
    return digest("\n".join(sorted(ids)).encode())
