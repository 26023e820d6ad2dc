"""Rows of conversations beside what Intercom's list has of them: what was forgotten on purpose is no fault, what has changed is one."""

import json
from typing import Any

import pytest

from schemas.intercom.conversations import ConversationRow, Part
from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.profiles.registers import Registers
from streams.agents.conversations.agent import ROWS
from streams.core.conversations.erased import erasure_of, without_contacts
from streams.core.conversations.row import joined_registers, row_of, without_details
from streams.core.records.registers import NOTHING
from streams.ops.backfill.objects import CONVERSATIONS, TICKETS
from streams.ops.reconcile.standing import RowStanding, compare_row
from streams.ops.reconcile.types import RECONCILED_TYPES

KIND = RECONCILED_TYPES[CONVERSATIONS]
UPDATED, REQUESTED = 1_790_000_000, 1_790_001_000_000
LISTED: dict[str, Any] = {
    "type": "conversation", "id": "7", "created_at": UPDATED - 60, "updated_at": UPDATED, "state": "open", "title": "An invoice",
    "source": {"type": "conversation", "id": "1", "subject": "Hello", "author": {"type": "user", "id": "c1"}},
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c1"}, {"type": "contact", "id": "c2"}]},
    "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "5"}]},
    "statistics": {"type": "conversation_statistics", "count_conversation_parts": 3},
}  # fmt: skip


def reading(**changes: Any) -> Reading:
    value = json.dumps(LISTED | changes).encode()
    return Reading(app_id="abc12345", type="conversation", entity="7", value=value, read_as=ReadAs.LISTED, requested_at=REQUESTED)


def stored(registers: Registers) -> bytes:
    return ROWS.encode(row_of(registers, (), 0), 1)


def standing(row: bytes | None, seen: Reading, updated: int = UPDATED) -> RowStanding:
    registers = KIND.row(row) if row else None
    assert registers is None or isinstance(registers, Registers)
    asserted = KIND.observe(seen)
    if registers is not None:
        asserted = KIND.kept(registers, asserted)
    return compare_row(registers, asserted, None, updated, listed=True, edges_announced=False).standing


KNOWN = joined_registers(NOTHING, KIND.observe(reading()))


@pytest.mark.parametrize(
    "row",
    [KNOWN, without_details(KNOWN), without_contacts(joined_registers(KNOWN, erasure_of("c1")), frozenset({"c1"}))],
    ids=["whole", "without details", "without an erased contact"],
)
def test_a_row_that_has_all_that_it_may_have_is_right(row: Registers) -> None:
    assert standing(stored(row), reading()) is RowStanding.RIGHT


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "closed"},
        {"statistics": {"count_conversation_parts": 4}},
        {"contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c3"}]}},
        {"title": "Another one"},
    ],
)
def test_a_change_of_which_no_webhook_came_is_missed(changes: dict[str, Any]) -> None:
    assert standing(stored(KNOWN), reading(updated_at=UPDATED + 9, **changes), UPDATED + 9) is RowStanding.MISSED


def test_a_conversation_that_nobody_knows_is_missed() -> None:
    assert standing(None, reading()) is RowStanding.MISSED


def test_tickets_and_conversations_share_rows_and_each_is_asked_for_under_its_own_type() -> None:
    ticket = joined_registers(NOTHING, KIND.observe(reading(type="ticket")))
    assert [kind.one(each) for kind in (KIND, RECONCILED_TYPES[TICKETS]) for each in (KNOWN, ticket)] == [
        True,
        False,
        False,
        True,
    ]


def test_a_row_of_something_else_is_none() -> None:
    assert isinstance(ROWS.decode(stored(KNOWN)), ConversationRow)
    assert KIND.row(ROWS.encode(Part(second=5), 1)) is None
