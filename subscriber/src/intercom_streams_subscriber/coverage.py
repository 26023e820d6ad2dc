"""When silence means something: the rows of `access.state` that say what the answers rest on.

The rule: answers about a workspace are to be trusted while its row, and the rows of the tenant's staff sources, were evaluated within the last
30 minutes (the product renews them every 15). Else trust nothing, neither a finding's absence nor its presence. A row that is fresh and not PASS
says what the answers lack: checks that need it are then UNKNOWN, not passed.
"""

import time
from collections.abc import Callable

import msgspec

from intercom_streams_subscriber.errors import SubscriberError
from intercom_streams_subscriber.schemas import Schemas

FRESH_MS = 30 * 60 * 1000
CHECK = b"coverage"


class CoverageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the answers about a workspace, or from a staff `source`, rest on. Times are milliseconds since 1970."""

    tenant: str
    check: str
    app_id: str = ""
    source: str | None = None
    result: str = "UNKNOWN"
    reason: str = ""
    complete_since: int | None = None
    evaluated_through: int | None = None


class Coverage:
    """The present rows. `now` returns milliseconds since 1970."""

    def __init__(self, schemas: Schemas | None = None, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._schemas, self._now = schemas or Schemas(), now
        self._rows: dict[bytes, CoverageRow] = {}
        self._unreadable: dict[bytes, str] = {}
        self.is_complete = False  # until the topic was read to its end

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Note a record of `access.state`; those of other checks are ignored."""
        key = key or b""
        if key.split(b"|")[1:2] != [CHECK]:
            return
        self._rows.pop(key, None)
        self._unreadable.pop(key, None)
        if value is None:
            return
        try:
            self._rows[key] = msgspec.convert(self._schemas.read(value), CoverageRow)
        except (SubscriberError, msgspec.ValidationError) as error:
            self._unreadable[key] = str(error)

    def rows(self) -> list[CoverageRow]:
        """Return all rows that can be read."""
        return list(self._rows.values())

    def trust(self, tenant: str, workspace: str) -> bool:
        """Return whether the answers about a workspace are fresh."""
        return not self.why(tenant, workspace)

    def why(self, tenant: str, workspace: str) -> str:
        """Return why the answers about a workspace are not to be trusted, empty where they are."""
        if not self.is_complete:
            return "the coverage is not read yet"
        rows = self._about(tenant, workspace)
        unreadable = next((why for key, why in self._unreadable.items() if key.startswith(f"{tenant}|".encode())), "")
        if unreadable:
            return f"a row cannot be read: {unreadable}"
        if not any(row.source is None for row in rows):
            return f"nothing is known about workspace {workspace}"
        return next(
            (
                f"the answers about {_name(row)} are older than {FRESH_MS // 60_000} minutes"
                for row in rows
                if self._is_stale(row)
            ),
            "",
        )

    def lacks(self, tenant: str, workspace: str) -> list[str]:
        """Return what the answers about a workspace lack, also where they are fresh."""
        return [f"{_name(row)} is {row.result}: {row.reason}" for row in self._about(tenant, workspace) if row.result != "PASS"]

    def _about(self, tenant: str, workspace: str) -> list[CoverageRow]:
        return [
            row for row in self._rows.values() if row.tenant == tenant and (row.app_id == workspace or row.source is not None)
        ]

    def _is_stale(self, row: CoverageRow) -> bool:
        return row.evaluated_through is None or self._now() - row.evaluated_through > FRESH_MS

    def __repr__(self) -> str:
        return f"Coverage({len(self._rows)} rows)"


def _name(row: CoverageRow) -> str:
    return f"workspace {row.app_id}" if row.source is None else f"staff source {row.source}"
