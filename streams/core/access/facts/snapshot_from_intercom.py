"""Intercom's list of teammates (`GET /admins`) as the facts of a snapshot: all of it, or none.

Absence from a snapshot is a removal, so a list that may lack somebody is refused: one that is cut off, one page of several, an error in
its place, a list of nobody. The Fin bot is no teammate.

From API 2.16 on a teammate's role is in the list, if there is one. So in a list with a role, a teammate without one there has no role: otherwise a role
that was taken away would stay in force. A list without any role may be of an earlier version, and says nothing about roles.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from schemas.access.facts import Actor, Admin, Evidence, Fact, FactPersonalData, Snapshot, snapshot_hash
from schemas.canonical import digest
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.values import identifier_or_none
from streams.core.access.facts.from_intercom import admin_of, described, is_bot

SOURCE: Final = "intercom"


class TeammateReading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a workspace's teammates: when its request was sent (ms), the answer's body, where it was read, and who read it."""

    tenant: str
    app_id: str
    requested: int
    body: bytes
    file: str | None = None
    actor: Actor

    @property
    def id(self) -> str:
        """The snapshot's id: the same answer to another request is another snapshot."""
        return derived(self.tenant, self.app_id, self.requested, digest(self.body))

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(id=self.id, source=SOURCE, requested=self.requested)


def snapshot_facts(reading: TeammateReading) -> list[Fact]:
    """Return a snapshot: its start, a fact for each teammate, and its end. Raises InvalidRecord where the list may lack somebody."""
    teammates = _teammates(reading.app_id, _document(reading.body))
    accounts = {account: admin_of(item) for account, item in teammates.items()}
    if any(_has_role(admin) for admin in accounts.values()):
        accounts = {account: admin if _has_role(admin) else _without_role(admin) for account, admin in accounts.items()}
    rows = [_row(reading, account, described(item), accounts[account]) for account, item in teammates.items()]
    if not rows:
        raise InvalidRecord("the list has no teammate, and a workspace has at least one: look at the access token's permissions")
    end = msgspec.structs.replace(reading.snapshot, count=len(rows), hash=snapshot_hash(row.id for row in rows))
    return [_part(reading, "started", reading.snapshot), *rows, _part(reading, "ended", end)]


def _document(body: bytes) -> list[Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRecord(f"the list of teammates is not whole JSON ({error}): was it cut off?") from None
    if not isinstance(document, dict) or not isinstance(document.get("admins"), list):
        kind = document.get("type") if isinstance(document, dict) else type(document).__name__
        raise InvalidRecord(f"this is no answer of Intercom's GET /admins, which has a list `admins`; its type is {kind!r}")
    admins: list[Any] = document["admins"]
    pages = document.get("pages")
    total = document.get("total_count")
    if (isinstance(pages, dict) and pages.get("next")) or (isinstance(total, int) and total != len(admins)):
        raise InvalidRecord("this is one page of several, and pages are read at different times: a snapshot needs the whole list")
    return admins


def _teammates(app_id: str, admins: list[Any]) -> dict[str, Mapping[str, Any]]:
    """Return the teammates by account. The same one twice is one; two that differ are two readings, and refused."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, account, item in _items(admins):
        if is_bot(app_id, described(item)):
            continue
        if found.setdefault(account, item) != item:
            raise InvalidRecord(f"teammate {number} of the list is in it before with other values: it was read while it changed")
    return found


def _items(admins: list[Any]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    for number, item in enumerate(admins, start=1):
        account = identifier_or_none(item.get("id")) if isinstance(item, dict) else None
        if account is None or item.get("type", "admin") != "admin":
            raise InvalidRecord(f"entry {number} of the list is no teammate with an id; look at where the list is from")
        yield number, account, item


def _has_role(admin: Admin) -> bool:
    return bool(admin.role_id or admin.role_name)


def _without_role(admin: Admin) -> Admin:
    return msgspec.structs.replace(admin, role_id="", role_name="")


def _row(reading: TeammateReading, account: str, person: FactPersonalData, admin: Admin) -> Fact:
    return msgspec.structs.replace(
        _part(reading, "row", reading.snapshot),
        id=derived(reading.id, "row", account),
        account=account,
        person=person,
        admin=admin,
    )


def _part(reading: TeammateReading, word: str, snapshot: Snapshot) -> Fact:
    return Fact(
        id=derived(reading.id, word),
        tenant=reading.tenant,
        kind=f"admins.snapshot.{word}",
        source="intercom.rest",
        basis="observed",
        time=reading.requested,
        actor=reading.actor,
        app_id=reading.app_id,
        evidence=(Evidence(file=reading.file, sha256=digest(reading.body)),),
        snapshot=snapshot,
    )
