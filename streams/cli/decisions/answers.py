"""The answers of a tenant's checks as `access.state` has them, for those who read or decide at the command line."""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from connectors.kafka.topic_end import read_to_end
from schemas.access.findings import STATE, CheckState
from schemas.codec import Avro
from schemas.errors import BadConfiguration, InvalidRecord
from streams.core.access.checks.table import CHECKS
from streams.settings import Settings

TOPIC: Final = "access.state"
_PREFIX: Final = 8  # characters of a finding's uid that are enough to name it


async def answers_of(settings: Settings, avro: Avro, tenant: str) -> list[CheckState]:
    """Return the present answers about a tenant's accounts and workspaces, by workspace, account and check."""
    return in_order(await states_of(settings, avro, tenant))


def in_order(rows: Collection[CheckState]) -> list[CheckState]:
    """Return the rows that are answers of checks, by workspace, account and check."""
    answers = [row for row in rows if row.check in CHECKS]
    return sorted(answers, key=lambda row: (row.app_id, row.account or "", row.check))


async def states_of(settings: Settings, avro: Avro, tenant: str) -> list[CheckState]:
    """Return the present rows of a tenant, with those that say what its answers rest on."""
    prefix = f"{tenant}|".encode()
    rows: dict[bytes, bytes | None] = {}

    def keep(record: Any) -> None:
        if record.key is not None and record.key.startswith(prefix):
            rows[record.key] = record.value

    await read_to_end(settings.kafka, TOPIC, keep)
    return [_decoded(avro, value) for value in rows.values() if value is not None]


def answer_about(answers: Collection[CheckState], check: str, app_id: str, account: str | None) -> CheckState | None:
    """Return the answer of a check about an account, or about a workspace."""
    return next((row for row in answers if (row.check, row.app_id, row.account) == (check, app_id, account)), None)


def open_finding(answers: Collection[CheckState], uid: str) -> CheckState:
    """Return the answer with the open finding of that uid, or of the only one that begins so. Raises BadConfiguration."""
    found = [
        row for row in answers if row.finding == uid or (row.finding and len(uid) >= _PREFIX and row.finding.startswith(uid))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadConfiguration(f"Several open findings begin with {uid}. Give more of the uid.")
    raise BadConfiguration(
        f"No finding {uid} is open. `intercom-streams access list --json` shows the uids of those that are; {_PREFIX} characters are enough."
    )


def _decoded(avro: Avro, value: bytes) -> CheckState:
    name, fields = avro.decode(value)
    if name != STATE:
        raise InvalidRecord(f"a value of schema {name} is no answer of a check; look at who writes to {TOPIC}")
    return msgspec.convert(fields, CheckState)
