"""The table of topics, from which documentation and `topics apply` follow: keys, encodings, retention, writers and readers.

Names are without the configured prefix. Topic names, keys and partitioning are expensive to change once data exists.
"""

from functools import partial
from types import MappingProxyType
from typing import Final

from schemas import generations
from schemas.access import decision_entries
from schemas.intercom.conversations import ERASURE
from schemas.profiles.identity import ASSIGNMENT, CLAIM, RULES
from schemas.profiles.memberships import EDGE
from schemas.profiles.policies import POLICY
from schemas.profiles.registers import PATCH
from schemas.topic_table.activities import ACTIVITIES
from schemas.topic_table.directory import DIRECTORY
from schemas.topic_table.row import DAY_MS, FOREVER, Encoding, Topic

__all__ = ["DAY_MS", "FOREVER", "TOPICS", "Encoding", "Topic"]

_ALSO: Final = {
    "contacts": "; also checkpoints (`ce_origin` `checkpoint`), which are private",
    "companies": "; also checkpoints (`ce_origin` `checkpoint`), which are private",
    "conversations": " and tickets; also checkpoints (`ce_origin` `checkpoint`), which are private",
}


def _inbound(
    entity: str,
    *,
    read_by: tuple[str, ...],
    key: str = "app_id:entity_id",
    retention_ms: int = 90 * DAY_MS,
    about: str = "",
    written_by: tuple[str, ...] = ("ingress",),
) -> Topic:
    return Topic(
        name=f"intercom.{entity}",
        key=key,
        encoding=Encoding.RAW,
        written_by=written_by,
        read_by=read_by,
        retention_ms=retention_ms,
        about=about or f"Intercom's posts about {entity}, byte for byte as received{_ALSO.get(entity, '')}",
    )


_public: Final = partial(Topic, encoding=Encoding.AVRO)
_internal: Final = partial(Topic, encoding=Encoding.INTERNAL)
_ACCOUNT_KEY: Final = "tenant:app_id:account; tenant:app_id for a check of a workspace"

_ALL: Final = (
    _inbound("contacts", read_by=("contacts",)),
    _inbound("companies", read_by=("companies",)),
    _inbound("conversations", read_by=("conversations",)),
    _inbound(
        "activities", key="app_id:contact_id; app_id:@KIND:VALUE where only a value names the contact", read_by=("happenings",),
        about="Intercom's posts about what a contact did or what happened to it: events, calls, statistics of contents, and again those about contacts that are activities",
    ),
    _inbound("articles", read_by=("operators",)),
    _inbound("admins", key="app_id", read_by=("admins",), retention_ms=FOREVER),
    _inbound(
        "directory", key="app_id", read_by=("directory",), written_by=("sync", "operators"), retention_ms=FOREVER,
        about="whole lists of a workspace's teammates and teams as Intercom's API answers them, in parts, each time they have changed",
    ),
    _inbound(
        "other", key="app_id:event id", read_by=("operators",),
        about="Intercom's other posts: pings, topics unknown to us, workspaces nobody configured",
    ),
    _public(
        name="person.records", schema="record", key="source:record id", retention_ms=90 * DAY_MS,
        written_by=("other systems",), read_by=("person_records",),
        about="people as other systems know them; also as JSON",
    ),
    _public(
        name="org.records", schema="record", key="source:record id", retention_ms=90 * DAY_MS,
        written_by=("other systems",), read_by=("org_records",),
        about="organisations as other systems know them; also as JSON",
    ),
    _internal(
        name="identity.claims", codec=CLAIM, key="tenant|record; tenant|org|record for organisations", compact=True,
        written_by=("contacts", "companies", "person_records", "org_records", "activities"), read_by=("identity",),
        about="the keys a record claims, for the identity agent",
    ),
    _internal(
        name="identity.rules", codec=RULES, key="tenant; tenant|org for organisations", compact=True,
        written_by=("worker",), read_by=("identity",),
        about="which keys make two records one person or organisation, where a tenant has rules of its own",
    ),
    _internal(
        name="contact.assignments", codec=ASSIGNMENT, key="app_id:contact_id", compact=True,
        written_by=("identity",), read_by=("contacts",),
        about="which person a contact belongs to",
    ),
    _internal(
        name="company.assignments", codec=ASSIGNMENT, key="app_id:company_id", compact=True,
        written_by=("identity",), read_by=("companies",),
        about="which organisation a company belongs to",
    ),
    _internal(
        name="person.assignments", codec=ASSIGNMENT, key="source:record id", compact=True,
        written_by=("identity",), read_by=("person_records",),
        about="which person a record of another system belongs to",
    ),
    _internal(
        name="org.assignments", codec=ASSIGNMENT, key="source:record id", compact=True,
        written_by=("identity",), read_by=("org_records",),
        about="which organisation a record of another system belongs to",
    ),
    _internal(
        name="membership.founders", codec=ASSIGNMENT, key="app_id:company_id or source:record id", compact=True,
        written_by=("identity",), read_by=("memberships",),
        about="the same, for the memberships of the company",
    ),
    *ACTIVITIES,
    _public(
        name="contact.erasures", schema="erasure", key="app_id:contact_id", compact=True,
        written_by=("operators",), read_by=("contacts",),
        about="contacts that are erased for good: what comes of them later is dropped",
    ),
    _public(
        name="person.erasures", schema="erasure", key="source:record id", compact=True,
        written_by=("operators",), read_by=("person_records",),
        about="other systems' records of people that are erased for good, likewise",
    ),
    _public(
        name="contact.read.requests", schema="contact_read_request", key="app_id:contact_id", retention_ms=7 * DAY_MS,
        written_by=("contacts",), read_by=("sync",),
        about="contacts that should be read again, because an event leaves something open",
    ),
    *(
        _internal(
            name=f"{agent.replace('_', '.')}.policies", codec=POLICY, key="tenant|kind, in every partition", compact=True, every_partition=True,
            written_by=("operators", "worker"), read_by=(agent,),
            about=f"the policies for {kind}, for the agent of {agent}",
        )
        for agent, kind in (
            ("contacts", "people"), ("person_records", "people"), ("people", "people"),
            ("companies", "organisations"), ("org_records", "organisations"), ("orgs", "organisations"),
        )
    ),
    _public(
        name="profile.policies", schema="profile_policy", key="tenant|kind",
        written_by=("operators", "worker"), read_by=("downstream", "operators"),
        about="each version of a tenant's policy for people or organisations, by whom it was applied, and what it says",
    ),
    _internal(
        name="person.patches", codec=PATCH, key="profile id", retention_ms=7 * DAY_MS,
        written_by=("contacts", "person_records"), read_by=("people",),
        about="all registers of one source record of a person",
    ),
    _internal(
        name="org.patches", codec=PATCH, key="profile id", retention_ms=7 * DAY_MS,
        written_by=("companies", "org_records"), read_by=("orgs",),
        about="all registers of one source record of an organisation",
    ),
    _internal(
        name="membership.edges", codec=EDGE, key="company|record; founder|record|company where passed on", compact=True,
        written_by=("contacts", "person_records", "memberships"), read_by=("memberships",),
        about="which company a record of a person belongs to",
    ),
    _public(
        name="people", schema="person", key="profile id", compact=True,
        written_by=("people",), read_by=("downstream", "projector"),
        about="each person as resolved now",
    ),
    _public(
        name="orgs", schema="org", key="profile id", compact=True,
        written_by=("orgs",), read_by=("downstream", "projector"),
        about="each organisation as resolved now",
    ),
    _public(
        name="memberships", schema="membership", key="org|record", compact=True,
        written_by=("memberships",), read_by=("downstream", "projector"),
        about="which record of a person belongs to which organisation",
    ),
    _public(
        name="conversations", schema="conversation", key="app_id:conversation_id", compact=True,
        written_by=("conversations",), read_by=("downstream", "projector"),
        about="each conversation and ticket as it is now",
    ),
    _internal(
        name="conversation.erasures", shared=True, codec=ERASURE, key="app_id:conversation_id|contact id", compact=True,
        written_by=("activities",), read_by=("conversations",),
        about="which erased contacts took part in a conversation, so that it forgets them",
    ),
    _public(
        name="conversation.read.requests", schema="conversation_read_request", key="app_id:conversation_id", retention_ms=7 * DAY_MS,
        written_by=("conversations",), read_by=("sync",),
        about="conversations and tickets that should be read again, because parts of them are missing or a second is in doubt",
    ),
    _public(
        name="people.changes", schema="profile_change", key="profile id", retention_ms=90 * DAY_MS,
        written_by=("people",), read_by=("downstream",),
        about="what changed in a person, and because of what; the change of an erasure (`person.erased.v1`) has no values of before",
    ),
    _public(
        name="people.aliases", schema="profile_alias", key="profile id", compact=True,
        written_by=("people",), read_by=("downstream", "projector"),
        about="ids of people who have become part of another person, and that person's id",
    ),
    _public(
        name="orgs.aliases", schema="profile_alias", key="profile id", compact=True,
        written_by=("orgs",), read_by=("downstream", "projector"),
        about="ids of organisations that have become part of another one, and that organisation's id",
    ),
    _public(
        name="orgs.changes", schema="profile_change", key="profile id", retention_ms=90 * DAY_MS,
        written_by=("orgs",), read_by=("downstream",),
        about="what changed in an organisation, and because of what",
    ),
    _public(
        name="access.facts", schema="fact", key="tenant", log_append_time=True,
        written_by=("admins", "directory", "staff connectors", "operators"), read_by=("access",),
        about="everything that decides access, in one order per tenant",
    ),
    _public(
        name="access.violations", schema="finding", key=_ACCOUNT_KEY,
        written_by=("access",), read_by=("downstream",),
        about="findings opened, changed and closed",
    ),
    Topic(
        name="access.violations.json", encoding=Encoding.JSON, key=_ACCOUNT_KEY,
        written_by=("access",), read_by=("downstream",),
        about="the same findings as OCSF Compliance Finding JSON",
    ),
    _public(
        name="access.state", schema="check_state", key="tenant|check|app_id|account|staff", compact=True,
        written_by=("access",), read_by=("downstream", "projector"),
        about="the current result of every check, PASS included, and what the answers rest on (`coverage`)",
    ),
    _public(
        name="access.read.requests", schema="read_request", key="app_id", retention_ms=7 * DAY_MS,
        written_by=("access",), read_by=("sync",),
        about="workspaces whose teammates should be read again, because somebody's state is in doubt",
    ),
    _public(
        name="access.ledger", schema="ledger_entry", key="tenant",
        written_by=("access",), read_by=("verifier",),
        about="for each fact: its hash, the previous hash, and the records that followed from it",
    ),
    _internal(
        name=decision_entries.TOPIC, shared=True, codec=decision_entries.ENTRY, key="tenant|offset in access.facts; tenant| where they begin", compact=True,
        written_by=("access",), read_by=("operators",),
        about="the decisions about accounts, grants and sources with their outcomes, for those who decide next",
    ),
    *DIRECTORY,
    _public(
        name="workspaces", schema="workspace_state", key="app_id", compact=True,
        written_by=("operators",), read_by=("ingress", "worker", "sync", "downstream"),
        about="workspaces that are paused, archived or deleted; one without a record is active",
    ),
    Topic(
        name="held.posts", encoding=Encoding.RAW, key="app_id:entity_id", retention_ms=90 * DAY_MS,
        written_by=("ingress",), read_by=("operators",),
        about="posts about workspaces that are paused or archived, until they are resumed",
    ),
    _public(
        name="webhook.endpoints", schema="webhook_endpoint", key="tenant|name", compact=True,
        written_by=("operators", "deliver"), read_by=("deliver", "operators"),
        about="webhook endpoints that are paused, or were; one without a record is active",
    ),
    Topic(
        name="webhook.redeliveries", encoding=Encoding.JSON, key=_ACCOUNT_KEY, retention_ms=90 * DAY_MS,
        written_by=("operators",), read_by=("deliver",),
        about="events that a webhook endpoint (`ce_redeliverto`) did not accept, and that an operator sends to it again",
    ),
    Topic(
        name="dead.letters", encoding=Encoding.RAW, key="key of the original", retention_ms=90 * DAY_MS,
        written_by=("every process",), read_by=("operators",),
        about="records that can never be processed, unchanged, with the reason in their headers",
    ),
    _internal(
        name=generations.TOPIC, codec=generations.ENTRY, key="`generations`, then what it is about", compact=True,
        written_by=("operators", "worker"), read_by=("worker", "operators"),
        about="which generation of each table is live, and what rebuilds are doing",
    ),
    _public(
        name="operations", schema="operation", key="id of the replay or rebuild, or topic:partition:offset of the record an operation concerns",
        written_by=("operators",), read_by=("operators",),
        about="what operators did: replays, rebuilds, dead letters redriven and dropped, by whom and why",
    ),
)  # fmt: skip

TOPICS: Final = MappingProxyType({topic.name: topic for topic in _ALL})
