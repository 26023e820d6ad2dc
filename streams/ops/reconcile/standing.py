"""Whether a row is as Intercom shows the object, and if not, why. Pure: rows, readings and policies are values."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank
from streams.core.profiles.storage import Storage, join_stored
from streams.core.records.agreement import disagreements, marks
from streams.core.records.registers import NOTHING

_QUIET: Final = frozenset({
    "last_seen_at", "last_replied_at", "last_contacted_at", "last_email_opened_at", "last_email_clicked_at",
    "traits.android_last_seen_at", "traits.ios_last_seen_at", "last_request_at", "session_count", "user_count",
    "country", "region", "city", "country_code", "continent_code",
})  # fmt: skip
"""Fields that Intercom changes without a webhook: what a contact or a company did, and from where."""
_EDGES_WITH_WEBHOOKS: Final = ("tag:", "company:", "subscription:")
"""Edges of contacts whose changes have a webhook of their own, which need not change `updated_at`."""


class RowStanding(StrEnum):
    """What a row is, compared with a reading."""

    RIGHT = "right"
    POLICY = "policy"
    UNANNOUNCED = "unannounced"
    MISSED = "missed"


class ComparedRow(NamedTuple):
    """What a row is, and whether the reading, once it is joined, makes the row right. Else the object has to be read by its id."""

    standing: RowStanding
    repairs: bool = True


_RIGHT: Final = ComparedRow(RowStanding.RIGHT)


def compare_row(
    row: Registers | None,
    asserted: Registers,
    storage: Storage | None,
    updated: int | None,
    *,
    listed: bool,
    edges_announced: bool,
) -> ComparedRow:
    """Compare a row with what a reading asserts. `updated` is the object's own second, None where that says nothing.

    What is `listed` is not archived, merged or deleted; `edges_announced` says that changes of edges have webhooks of their own.
    """
    stored = storage.stored(asserted) if storage else asserted
    if row is None:
        return ComparedRow(RowStanding.POLICY if stored == NOTHING else RowStanding.MISSED)
    known = storage.stored(row) if storage else row
    wrong = disagreements(known, stored)
    unlisted = listed and marks(known)
    if not wrong and not unlisted:
        hidden = storage is not None and disagreements(row, asserted)
        return ComparedRow(RowStanding.POLICY) if hidden else _RIGHT
    joined = join_stored(storage, row, asserted)
    repairs = not disagreements(joined, stored) and not (listed and marks(joined))
    if unlisted or not _unannounced(wrong, known, updated, edges_announced=edges_announced):
        return ComparedRow(RowStanding.MISSED, repairs)
    return ComparedRow(RowStanding.UNANNOUNCED, repairs)


def is_gone(row: Registers) -> bool:
    """Say whether a row has it that lists show its object no longer."""
    return bool(marks(row))


def _unannounced(wrong: Collection[str], row: Registers, updated: int | None, *, edges_announced: bool) -> bool:
    """Say whether no webhook is missing: the row has the object's latest change, or only quiet fields differ."""
    if edges_announced and any(name.startswith(_EDGES_WITH_WEBHOOKS) for name in wrong):
        return False
    latest = max((version.second for version, _ in row.now if version.rank == Rank.SNAPSHOT), default=None)
    return (latest is not None and updated is not None and latest >= updated) or _QUIET.issuperset(
        name for name in wrong if not name.startswith("segment:")
    )
