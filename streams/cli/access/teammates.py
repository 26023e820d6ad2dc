"""What teammates' accounts are called: names, addresses and roles, from the facts of the log."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec

from connectors.kafka.fact_log import find_records
from schemas.access import fact_records
from schemas.access.facts import Fact, type_of
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import header
from streams.settings import Settings

_TYPES: Final = frozenset(
    type_of(kind) for kind in ("admin.added", "admin.seen", "admin.logged_in", "admin.logged_out", "admins.snapshot.row")
)


class Teammate(msgspec.Struct, frozen=True):
    """An account as Intercom last described it."""

    name: str | None = None
    address: str | None = None
    role: str | None = None

    def __repr__(self) -> str:
        return "Teammate(***)"


async def teammates_of(settings: Settings, avro: Avro, tenant: str) -> dict[tuple[str, str], Teammate]:
    """Return the accounts of a tenant, by workspace and account."""

    def keep(record: Any) -> Fact | None:
        if record.value is not None and header(record.headers, "ce_type") in _TYPES:
            with suppress(InvalidRecord):  # what cannot be understood is a dead letter
                return fact_records.decode(avro, record.value)
        return None

    return described(await find_records(settings.kafka, tenant, keep))


def described(facts: Iterable[Fact]) -> dict[tuple[str, str], Teammate]:
    """Return the accounts that facts describe: of each field the latest, by the clock of the source."""
    found: dict[tuple[str, str], Teammate] = {}
    for fact in sorted(facts, key=lambda fact: (fact.time or (fact.snapshot.requested if fact.snapshot else 0), fact.id)):
        if fact.app_id is None or fact.account is None:
            continue
        person, admin = fact.person, fact.admin
        given = {
            "name": person.name if person else None,
            "address": person.addresses[0] if person and person.addresses else None,
            "role": admin.role_name if admin else None,
        }
        before = found.get((fact.app_id, fact.account), Teammate())
        asserted = {name: text for name, text in given.items() if text or (name == "role" and text is not None)}
        found[fact.app_id, fact.account] = msgspec.structs.replace(before, **asserted)
    return found
