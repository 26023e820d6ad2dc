"""The table of everything that can hold something about a person: how it is found there, and what becomes of it once they are erased."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.topics import TOPICS


class FoundBy(StrEnum):
    """How what a store holds about a person is found."""

    RECORD = "record"  # under the key of a record
    PROFILE = "profile"  # under the id of a profile
    CLAIM = "claim"  # under the tenant and the record
    EDGE = "edge"  # under a company or an organisation and the record
    MENTION = "mention"  # anywhere in a value that names the person
    NOWHERE = "nowhere"  # it holds nothing about the contacts of Intercom


class TopicHolding(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic holds about a person, and how to find it."""

    found_by: FoundBy
    what: str


def _holding(found_by: FoundBy, what: str) -> TopicHolding:
    return TopicHolding(found_by=found_by, what=what)


_STAFF: Final = _holding(FoundBy.NOWHERE, "staff and teammates only, whose records are evidence of who had access")
_RULES: Final = _holding(FoundBy.NOWHERE, "rules of tenants")

HOLDINGS: Final[Mapping[str, TopicHolding]] = MappingProxyType({
    "intercom.contacts": _holding(FoundBy.RECORD, "the posts about the contact, as Intercom sent them"),
    "intercom.companies": _holding(FoundBy.MENTION, "posts about companies that the contact was attached to or left"),
    "intercom.conversations": _holding(FoundBy.MENTION, "posts about the person's conversations"),
    "intercom.activities": _holding(FoundBy.RECORD, "the posts about what the contact did; those that name only an id or address of theirs stay until the topic's limit"),
    "intercom.articles": _holding(FoundBy.MENTION, "posts about articles, which name nobody as a rule"),
    "intercom.admins": _STAFF,
    "intercom.directory": _STAFF,
    "directory.decisions": _STAFF,
    "access.decisions": _STAFF,
    "agents": _STAFF,
    "teams": _STAFF,
    "team.members": _STAFF,
    "agent.imports": _STAFF,
    "intercom.other": _holding(FoundBy.MENTION, "posts that no agent reads"),
    "person.records": _holding(FoundBy.RECORD, "what other systems sent about the person"),
    "org.records": _holding(FoundBy.MENTION, "what other systems sent about organisations"),
    "identity.claims": _holding(FoundBy.CLAIM, "what the record is recognised by: ids, address, number"),
    "identity.rules": _RULES,
    "contact.assignments": _holding(FoundBy.RECORD, "which person the record belongs to"),
    "person.assignments": _holding(FoundBy.RECORD, "which person the record belongs to"),
    "org.assignments": _holding(FoundBy.NOWHERE, "organisations only"),
    "person.erasures": _holding(FoundBy.RECORD, "that the record is erased: its source's id of it, and its mark"),
    "company.assignments": _holding(FoundBy.NOWHERE, "companies only"),
    "contact.erasures": _holding(FoundBy.RECORD, "that the contact is erased: Intercom's id of it, and its mark"),
    "contact.read.requests": _holding(FoundBy.RECORD, "that the contact should be read again: Intercom's id of it"),
    "person.patches": _holding(FoundBy.PROFILE, "the values of the person's records, between two agents"),
    "org.patches": _holding(FoundBy.NOWHERE, "companies only"),
    "membership.founders": _holding(FoundBy.NOWHERE, "companies only"),
    "contacts.policies": _RULES,
    "companies.policies": _RULES,
    "people.policies": _RULES,
    "orgs.policies": _RULES,
    "profile.policies": _RULES,
    "person.records.policies": _RULES,
    "org.records.policies": _RULES,
    "generations": _holding(FoundBy.NOWHERE, "which build of each table is live"),
    "membership.edges": _holding(FoundBy.EDGE, "which companies the contact belongs to"),
    "people": _holding(FoundBy.PROFILE, "the person as published"),
    "activity.assignments": _holding(FoundBy.RECORD, "which person the record belongs to"),
    "activity.records": _holding(FoundBy.RECORD, "what the contact did, with the words"),
    "activity.policies": _RULES,
    "contact.wakes": _holding(FoundBy.NOWHERE, "days"),
    "activity.patches": _holding(FoundBy.PROFILE, "what the person did, between two agents"),
    "activities": _holding(FoundBy.PROFILE, "what the person did, with the words"),
    "people.engagement": _holding(FoundBy.PROFILE, "how much the person did, and when"),
    "orgs.engagement": _holding(FoundBy.NOWHERE, "how much organisations did"),
    "conversations": _holding(FoundBy.MENTION, "the person's conversations as published: subjects, attributes, remarks, and their contact ids"),
    "conversation.erasures": _holding(FoundBy.NOWHERE, "that an erased contact took part in a conversation: Intercom's ids of both"),
    "conversation.read.requests": _holding(FoundBy.NOWHERE, "ids of conversations only"),
    "people.changes": _holding(FoundBy.PROFILE, "what changed in the person, with the values before and after"),
    "people.aliases": _holding(FoundBy.PROFILE, "former ids of the person"),
    "orgs": _holding(FoundBy.NOWHERE, "organisations only"),
    "orgs.changes": _holding(FoundBy.NOWHERE, "organisations only"),
    "orgs.aliases": _holding(FoundBy.NOWHERE, "organisations only"),
    "memberships": _holding(FoundBy.EDGE, "which organisations the contact belongs to"),
    "access.facts": _STAFF,
    "access.violations": _STAFF,
    "access.violations.json": _STAFF,
    "access.state": _STAFF,
    "access.read.requests": _STAFF,
    "access.ledger": _STAFF,
    "workspaces": _holding(FoundBy.NOWHERE, "which workspaces are paused, archived or deleted"),
    "held.posts": _holding(FoundBy.MENTION, "posts about a workspace that is paused or archived"),
    "webhook.endpoints": _holding(FoundBy.NOWHERE, "which webhook endpoints are paused"),
    "webhook.redeliveries": _STAFF,
    "dead.letters": _holding(FoundBy.MENTION, "posts and patches that could not be processed"),
    "operations": _holding(FoundBy.NOWHERE, "what operators did; of an erasure the marks, and no id of a contact"),
})  # fmt: skip
"""By the name of the topic. A topic that is missing here is taken for one that may mention the person."""

UNKNOWN: Final = _holding(FoundBy.MENTION, "what this release's table of stores does not know")


def holding_of(topic: str) -> TopicHolding:
    """Return what a topic of the table of topics holds about a person."""
    return HOLDINGS.get(topic, UNKNOWN)


TABLES: Final[Mapping[str, TopicHolding]] = MappingProxyType({
    "contacts": _holding(FoundBy.RECORD, "the contact's values with their versions"),
    "person_records": _holding(FoundBy.RECORD, "what other systems sent, with its versions"),
    "people": _holding(FoundBy.PROFILE, "the person and their records"),
    "identity": _holding(FoundBy.CLAIM, "the record's claim and assignment"),
    "memberships": _holding(FoundBy.EDGE, "the contact's companies"),
    "activities": _holding(FoundBy.RECORD, "what the contact did, with the words"),
    "timelines": _holding(FoundBy.PROFILE, "what the person did, with the words"),
    "conversations": _holding(FoundBy.MENTION, "the person's conversations, without the words of their parts"),
})  # fmt: skip
"""The tables of agents that hold something about a person, by agent; each is a changelog, and a folder where it is kept on disk."""


def holding_topics() -> tuple[str, ...]:
    """Return the topics that can hold something about a person, in the order of the table of topics."""
    return tuple(name for name in TOPICS if holding_of(name).found_by is not FoundBy.NOWHERE)
