"""With whom a contact's conversations are, in rows that do not repeat what their key says."""

import pytest

from schemas.activities.messages import Participants, ParticipantsRow
from streams.agents.activities.agent import ROWS
from streams.agents.activities.ownership import Ownership
from streams.engine.in_memory import MemoryTable

ONE, OTHER = "abc12345:64a1f0c2e5b7d89012345678", "abc12345:c2"


@pytest.mark.parametrize("conversation", ["abc12345:215", "abc12345:a:b", "xyz98765:215", "215", ""])
@pytest.mark.parametrize("contacts", [(ONE,), (ONE, OTHER), (OTHER,), ()])
def test_a_row_is_read_as_it_was_put_and_its_item_names_the_conversation(conversation: str, contacts: tuple[str, ...]) -> None:
    table, row = MemoryTable(ROWS), ParticipantsRow(Participants(3, contacts), sealed=True)
    owner = Ownership("acme", ONE, table)
    owner.put_participants(conversation, row)
    assert owner.participants(conversation) == row
    [(item, _)] = table.walk(ONE)
    assert owner.conversation_of(item) == conversation


def test_a_row_of_a_contact_alone_has_its_id_once() -> None:
    table = MemoryTable(ROWS)
    Ownership("acme", ONE, table).put_participants("abc12345:215", ParticipantsRow(Participants(1, (ONE,))))
    table.commit()
    [(key, value)] = table.rows().items()
    assert key.count("abc12345") == 1
    assert b"abc12345" not in value
