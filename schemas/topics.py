"""The table of topics: every topic's key, form, retention, writers and readers. Documentation and `topics apply` are made from it.

A name here is without the configured prefix. Topic names, keys and partitioning are expensive to change once data exists.
"""

from enum import StrEnum
from types import MappingProxyType

import msgspec

DAY_MS = 86_400_000
FOREVER = -1


class Encoding(StrEnum):
    """How a topic's values are encoded."""

    RAW = "raw"  # the bytes received, untouched
    AVRO = "avro"  # Avro in Confluent framing, public
    JSON = "json"  # canonical JSON, public
    INTERNAL = "internal"  # versioned msgspec encoding, private to a release and the one before


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. `retention_ms` is time for deleted topics (`FOREVER` keeps all); compacted ones keep the last value of each key."""

    name: str
    key: str
    encoding: Encoding
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    compact: bool = False
    retention_ms: int = FOREVER
    log_append_time: bool = False
    schema: str | None = None  # name of the Avro schema in schemas/avro, for Encoding.AVRO
    about: str = ""


def _inbound(
    entity: str, *, key: str = "app_id:entity_id", readers: tuple[str, ...], retention_ms: int = 90 * DAY_MS, about: str = ""
) -> Topic:
    return Topic(
        name=f"intercom.{entity}",
        key=key,
        encoding=Encoding.RAW,
        written_by=("ingress",),
        read_by=readers,
        retention_ms=retention_ms,
        about=about or f"Intercom's posts about {entity}, byte for byte as received",
    )


def _public(name: str, schema: str, *, key: str, by: tuple[str, ...], to: tuple[str, ...], about: str, **kept: object) -> Topic:
    kind = {
        "name": name,
        "key": key,
        "encoding": Encoding.AVRO,
        "schema": schema,
        "written_by": by,
        "read_by": to,
        "about": about,
    }
    return msgspec.convert({**kind, **kept}, Topic)


def _internal(name: str, *, key: str, by: tuple[str, ...], to: tuple[str, ...], about: str, **kept: object) -> Topic:
    kind = {"name": name, "key": key, "encoding": Encoding.INTERNAL, "written_by": by, "read_by": to, "about": about}
    return msgspec.convert({**kind, **kept}, Topic)


_ACCOUNT_KEY = "tenant:app_id:account; tenant:app_id for a check of a workspace"

_ALL = (
    _inbound("contacts", readers=("contacts",)),
    _inbound("companies", readers=("companies",)),
    _inbound("conversations", readers=("operators",)),
    _inbound("articles", readers=("operators",)),
    _inbound("admins", key="app_id", readers=("admins",), retention_ms=FOREVER),
    _inbound("other", key="app_id:event id", readers=("operators",),
             about="Intercom's other posts: pings, topics unknown to us, workspaces nobody configured"),
    _public(
        "person.records", "record", key="source:record id", by=("other systems",), to=("records",),
        retention_ms=90 * DAY_MS, about="people as other systems know them",
    ),
    _public(
        "org.records", "record", key="source:record id", by=("other systems",), to=("records",),
        retention_ms=90 * DAY_MS, about="organisations as other systems know them",
    ),
    _internal("identity.claims", key="tenant|record", by=("contacts", "companies", "records"), to=("identity",), compact=True,
              about="the keys a record claims, for the identity agent"),
    _internal("contact.assignments", key="app_id:contact_id", by=("identity",), to=("contacts",), compact=True,
              about="which person a contact belongs to"),
    _internal("company.assignments", key="app_id:company_id", by=("identity",), to=("companies",), compact=True,
              about="which organisation a company belongs to"),
    _internal("person.patches", key="profile id", by=("contacts", "records"), to=("people",), retention_ms=7 * DAY_MS,
              about="all registers of one source record of a person"),
    _internal("org.patches", key="profile id", by=("companies", "records"), to=("orgs",), retention_ms=7 * DAY_MS,
              about="all registers of one source record of an organisation"),
    _public("people", "person", key="profile id", by=("people",), to=("downstream", "projector"), compact=True,
            about="each person as resolved now"),
    _public("orgs", "org", key="profile id", by=("orgs",), to=("downstream", "projector"), compact=True,
            about="each organisation as resolved now"),
    _public("memberships", "membership", key="org|record", by=("people",), to=("downstream", "projector"), compact=True,
            about="which record of a person belongs to which organisation"),
    _public("people.changes", "profile_change", key="profile id", by=("people",), to=("downstream",), retention_ms=90 * DAY_MS,
            about="what changed in a person, and because of what"),
    _public("orgs.changes", "profile_change", key="profile id", by=("orgs",), to=("downstream",), retention_ms=90 * DAY_MS,
            about="what changed in an organisation, and because of what"),
    _public("access.facts", "fact", key="tenant", by=("admins", "staff connectors", "operators"), to=("access",),
            log_append_time=True, about="everything that decides access, in one order per tenant"),
    _public("access.violations", "finding", key=_ACCOUNT_KEY, by=("access",), to=("downstream",),
            about="findings opened, changed and closed"),
    Topic(name="access.violations.json", key=_ACCOUNT_KEY, encoding=Encoding.JSON, written_by=("access",), read_by=("downstream",),
          about="the same findings as OCSF Compliance Finding JSON"),
    _public("access.state", "check_state", key="tenant|check|app_id|account|staff", by=("access",), to=("downstream", "projector"),
            compact=True, about="the present answer of every check evaluated, PASS included"),
    _public("access.ledger", "ledger_entry", key="tenant", by=("access",), to=("verifier",),
            about="per fact: its hash, the hash before it, and what followed from it"),
    Topic(name="dead.letters", key="key of the original", encoding=Encoding.RAW, written_by=("every process",), read_by=("operators",),
          retention_ms=90 * DAY_MS, about="records that can never be understood, untouched, with the reason in their headers"),
)  # fmt: skip

TOPICS = MappingProxyType({topic.name: topic for topic in _ALL})
