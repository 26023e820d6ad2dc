"""What teammates' accounts are called: names, addresses and roles, from the facts of the log."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.access.facts import Fact, type_of
from schemas.codec import Avro
from streams.ops.facts import find_understood
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
    return described(await find_understood(settings.kafka, avro, tenant, _TYPES))


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
