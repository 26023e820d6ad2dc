"""Whose a contact is, and with whom its conversations are, in the table of the activities agent."""

from functools import lru_cache
from typing import Final

import msgspec

from schemas.activities.messages import WAITING, ActivityTableRow, OwnerRow, ParticipantsRow, RedactionRow, company_of_subject
from schemas.ids import derived
from schemas.profiles.identity import ORG, PERSON
from schemas.profiles.registers import ERASED, Assignment
from streams.engine.agent import Table

_PARTICIPANTS: Final = "r"
_REDACTED: Final = "w"
_ITSELF: Final = ""  # among the contacts of a stored row


@lru_cache(maxsize=4096)  # most contacts are nobody else's, and each event asks again
def own_profile(tenant: str, key: str) -> str:
    """Return the profile that a contact or a company is by itself. What only stands for contacts that are not known is nobody's."""
    company = company_of_subject(key)
    if company is not None:
        return derived(tenant, ORG, company)
    return "" if key.partition(":")[2].startswith(WAITING) else derived(tenant, PERSON, key)


class Ownership:
    """The profile of one contact, and those that it is leaving. Participants are under `r|conversation`, without the contact's own `app_id`."""

    def __init__(self, tenant: str, key: str, table: Table[ActivityTableRow]) -> None:
        self._tenant = tenant
        self._key = key
        self._table = table

    @property
    def known(self) -> bool:
        """Whether anything was put about whose the contact is."""
        return self._table.get(self._key) is not None

    @property
    def assignment(self) -> Assignment:
        """Whose the contact, or the company, is."""
        row = self._table.get(self._key)
        if isinstance(row, OwnerRow):
            return row.assignment
        return Assignment(0, own_profile(self._tenant, self._key))

    @property
    def profile(self) -> str:
        """The profile whose the contact is, empty for none."""
        return self.assignment.profile

    @property
    def erased(self) -> bool:
        row = self._table.get(self._key)
        return isinstance(row, OwnerRow) and row.assignment.number == ERASED.number

    def assign(self, assignment: Assignment, leaves: str | None = None) -> None:
        """Put whose the contact is; `leaves` is a profile whose activities are to follow."""
        self._put(OwnerRow(assignment, (*self._leaving(), *([] if leaves is None else [leaves])), self.divided))

    def has_left(self, profile: str) -> None:
        """Note that a move from a profile is at its end."""
        leaving = list(self._leaving())
        leaving.remove(profile)
        self._put(OwnerRow(self.assignment, tuple(leaving), self.divided if leaving else 0))

    @property
    def divided(self) -> int:
        """How often the contact's marks were divided among other rows while it moved."""
        row = self._table.get(self._key)
        return row.divided if isinstance(row, OwnerRow) else 0

    def has_divided_marks(self) -> None:
        """Note that marks are in other rows now: moves that are not at their end have to go through them once more."""
        if self.is_leaving:
            self._put(OwnerRow(self.assignment, self._leaving(), self.divided + 1))

    @property
    def is_leaving(self) -> bool:
        """Whether a move of the contact from one profile to another is not at its end."""
        return bool(self._leaving())

    def being_left(self) -> list[str]:
        """Return the profiles that some of the contact's activities may still be in."""
        return sorted({*self._leaving()} - {self.profile})

    def participants(self, conversation: str) -> ParticipantsRow | None:
        """Return with whom a conversation is, as far as the contact knows."""
        row = self._table.get(self._key, self._item(conversation))
        return self._of_contacts(row, _ITSELF, self._key) if isinstance(row, ParticipantsRow) else None

    def is_moving(self, conversation: str) -> bool:
        """Return whether activities of a conversation are on their way to contacts that joined it, or from one that left it."""
        row = self.participants(conversation) if conversation else None
        return row is not None and row.moves > 0

    def put_participants(self, conversation: str, row: ParticipantsRow) -> None:
        self._table.put(self._key, self._item(conversation), self._of_contacts(row, self._key, _ITSELF))

    def conversation_of(self, item: str) -> str:
        """Return the conversation that an item with participants is of."""
        conversation = item.partition("|")[2]
        return f"{self._app_id}{conversation}" if conversation.startswith(":") else conversation

    def is_sealed_no_more(self, conversation: str) -> None:
        """Note that nothing of a conversation is left to be sealed."""
        row = self.participants(conversation)
        if row is not None and row.sealed:
            self.put_participants(conversation, msgspec.structs.replace(row, sealed=False))

    def is_redacted(self, conversation: str, mark: str) -> bool:
        """Return whether an activity was redacted that the contact did not have then."""
        return self._table.get(self._key, f"{_REDACTED}|{conversation}|{mark}") is not None

    def put_redaction(self, conversation: str, mark: str) -> None:
        """Note that an activity is redacted, which the contact does not have: another one may have passed it on before."""
        self._table.put(self._key, f"{_REDACTED}|{conversation}|{mark}", RedactionRow())

    @property
    def _app_id(self) -> str:
        return self._key.partition(":")[0]

    def _item(self, conversation: str) -> str:
        app_id, colon, entity = conversation.partition(":")
        return f"{_PARTICIPANTS}|{'' if app_id == self._app_id else app_id}{colon}{entity}"

    def _of_contacts(self, row: ParticipantsRow, name: str, instead: str) -> ParticipantsRow:
        """Return a row with another name for one of its contacts."""
        contacts = tuple(instead if each == name else each for each in row.participants.contacts)
        return msgspec.structs.replace(row, participants=row.participants._replace(contacts=contacts))

    def _put(self, row: OwnerRow) -> None:
        self._table.put(self._key, "", row)

    def _leaving(self) -> tuple[str, ...]:
        row = self._table.get(self._key)
        return row.leaving if isinstance(row, OwnerRow) else ()
