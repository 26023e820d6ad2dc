"""One value of every form that a table or an internal topic of the product holds, with something in every place.

`python -m tests.support.samples >tests/streams/agents/encodings/N.json` records what the newest encoding N makes of them, when it is new.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import msgspec

from schemas.access.facts import AccessSettings, Evidence, Fact, FactPersonalData, Policy, Rule, encode_plain
from schemas.profiles.registers import (
    Assignment,
    Packed,
    Patch,
    PatchCause,
    ProfileTableRow,
    PublishedProfile,
    SourceRecordRow,
    Version,
)
from schemas.versioned import ENCODING, Versioned
from streams.agents import access, admins
from streams.agents import profiles as resolving
from streams.agents import source_records as sources
from streams.core.access.state import rows
from streams.core.access.state.stage import Stage

_PACKED = Packed(
    versions=(Version(1_700_000_000, 0, 250, 1_700_000_001, "notif_1"), Version(1_700_000_002, 5, 0, 1_700_000_002, "notif_2")),
    now=((0, {"name": "Ada", "age": 36, "score": 0.5, "vip": True, "phone": None}),),
    last=((1, {"phone": "+1"}),),
    first=((0, {"name": "A."}),),
    on=((0, {"company:1": None}),),
    off=((1, {"tag:2": None}),),
    since=((0, {"company:1": None}),),
    complete=((1, {"tag": '["2"]'}),),
    contested=("name",),
)
_ROW = SourceRecordRow(_PACKED, Assignment(2, "4a4e4f2e-0000-5000-8000-000000000001"))

_EVIDENCE = Evidence(topic="intercom.admins", partition=1, offset=7, sha256="ab", id="notif_3")
_SOURCE = rows.FactReference("f1", "access.added", 1_700_000_000_000, 0, 5, "cd", (_EVIDENCE,))
_FACT = Fact(
    id="f1", tenant="acme", kind="staff.record", source="staff:hr", basis="asserted", time=1_700_000_000_000,
    evidence=(_EVIDENCE,), person=FactPersonalData(addresses=("ada@example.com",)),
)  # fmt: skip
_PLACE = rows.LogPosition(0, 5, 1_700_000_000_500, "cd", "00-aa-bb-01")
_SIGHTING = rows.PresenceEvent(1_700_000_000_000, added=True, source=_SOURCE)
_FIELD = rows.FieldRegister("ada@example.com", 1_700_000_000_000, "f1", 1_699_000_000_000)
_RULE = Rule(app_id="abc12345", validity="intercom_roles", roles=("agent",), intercom_roles={"agent": ("Support",)})
_SETTINGS = AccessSettings(
    workspaces=("abc12345",),
    alias_domains={"old.example": "new.example"},
    precedence=("hr",),
    further={"zone": '"UTC"'},
    hash="cd",
)
_ANSWER = rows.CheckResult(
    check="C4", staff="s1", result="FAIL", reason="role", since=1, severity=4, confidence=2, candidates=("s2",),
    parameters={"role": "admin"}, policy="p1", due=2,
)  # fmt: skip
_EPISODE = rows.Episode(
    uid="u1", sequence=3, failing=_ANSWER, opened=1, created=2, substance="ef", evidence=(rows.CitedFact(_SOURCE, {"role": "admin"}),),
    closed=9,
)  # fmt: skip

PATCH = Patch("acme", "abc12345:c1", _ROW, PatchCause("notif_2", 1_700_000_002_000))
ROW = _ROW
PROFILE = ProfileTableRow(
    profile=PublishedProfile(4, {"name": "Ada", "emails": ["ada@example.com"], "sources": {"name": {"time": 1}}})
)
RECORD = ProfileTableRow(row=_ROW)
PASSED = admins.SeenEvents(("f1", "f2"), {"access.seen": (1_700_000_000_000, "f3")})

ACCESS = (
    rows.TenantLog(now=1, entries=2, head="ab", people=3),
    rows.AccountRow("abc12345", "9", (_SIGHTING,), _SIGHTING, {"email": _FIELD}, rows.Decision("s1", _SOURCE), rows.Decision(None, _SOURCE), "s1"),
    rows.StaffRecord("hr", "7", "s1", {"email": _FIELD}, _SOURCE, _SOURCE, "n1"),
    rows.PersonRow("s1", (("hr", "7"),), (("abc12345", "9"),)),
    rows.HolderIndex(("s1",), (("abc12345", "9"),)),
    rows.WorkspaceRow("abc12345", _SOURCE),
    rows.PolicyRow(Policy(rules=(_RULE,), hash="ab"), _SOURCE),
    rows.SettingsRow(_SETTINGS, _SOURCE),
    rows.CheckRow(check_result=_ANSWER, since=1, episode=_EPISODE),
    rows.Timer("C2", ("s1",), "f1"),
    rows.ArmedTimer(1_700_000_000_000),
    rows.TimerIndex("acme"),
    rows.SnapshotStaging("n1", "hr", 1, 2),
    rows.StagedRecord(encode_plain(_FACT), _SOURCE),
    rows.SnapshotPage(("f1", "f2")),
    rows.PendingAccount(),
    rows.QueuedFact(encode_plain(_FACT), _PLACE),
    rows.PendingFact(
        fact=encode_plain(_FACT), position=_PLACE, stage=Stage.EVALUATE, cursor="abc12345|9", outcome="applied", aliases={"old.example": "new.example"},
        snapshot="n1", has_pending_accounts=True,
    ),
    rows.BacklogIndex(3, "00000000000000000005"),
)  # fmt: skip

SAMPLES = MappingProxyType(
    {
        "contacts and companies": (sources.ROW, ROW),
        "person.patches and org.patches": (sources.PATCH, PATCH),
        "a profile of people and orgs": (resolving.ENTRY, PROFILE),
        "a record of people and orgs": (resolving.ENTRY, RECORD),
        "admins": (admins.ROW, PASSED),
    }
    | {f"access: {type(row).__name__}": (access.ROWS, row) for row in ACCESS}
)
"""By a name of its own: the codec and the value."""


def history(codec: Versioned[Any]) -> Iterator[Versioned[Any]]:
    """Yield the codec and what was before it, newest first."""
    yield codec
    if codec.before is not None:
        yield from history(codec.before.codec)


def form(kind: Any) -> str:
    """Return a hash of all that decides the bytes of a type's values: another one is another encoding."""
    shape = json.dumps(_bare(msgspec.json.schema(kind)), sort_keys=True)
    return sha256(shape.encode()).hexdigest()[:16]


def _bare(schema: Any) -> Any:
    """Leave out what only people read."""
    if isinstance(schema, Mapping):
        return {
            name: _bare(part) for name, part in schema.items() if not (name in ("title", "description") and isinstance(part, str))
        }
    return [_bare(part) for part in schema] if isinstance(schema, list) else schema


def recorded() -> dict[str, dict[str, str]]:
    """Return what there is to record of the newest encoding: forms of the types that it changed, and the samples' bytes."""
    newest = {name: (codec, value) for name, (codec, value) in SAMPLES.items() if codec.since == ENCODING}
    return {
        "forms": {name: form(codec.kind) for name, (codec, _) in newest.items()},
        "values": {name: b64encode(codec.encode(value)).decode() for name, (codec, value) in newest.items()},
    }


if __name__ == "__main__":
    print(json.dumps(recorded(), indent=1))  # noqa: T201
