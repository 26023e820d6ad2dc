"""The least rights that each process needs at a broker with an authorizer: the table from which ACLs are made.

Rights on topics follow from the tables of topics and agents. A process has no need of anything else, and a broker that refuses it keeps a
stolen password from doing more than its process could. `python -m streams.ops.access_rights` writes docs/acls.md.
"""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from schemas import dead_letters, generations, operations
from schemas.access import facts
from schemas.directory import lists
from schemas.intercom import rest_objects
from schemas.topics import TOPICS, Encoding
from schemas.webhooks import endpoint_states, posted
from streams.agents.topology import source_topics
from streams.engine.naming import Naming

FILE: Final = Path(__file__).parents[2] / "docs" / "acls.md"
_OWN: Final = f"{Naming().application}."  # begins the names of groups, transactional ids and changelogs of workers
_EVERY_PROCESS: Final = "every process"


class BrokerResource(StrEnum):
    """Kinds of resources that rights are about, as Kafka's own commands name them."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


class Right(NamedTuple):
    """Operations on a resource, or with `prefixed` on all whose names begin so. Names are without the configured prefix."""

    resource: BrokerResource
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


class ProcessUser(StrEnum):
    """Who connects: each process with a user of its own."""

    INGRESS = "ingress"
    WORKER = "worker"
    SCIM = "scim"
    DELIVER = "deliver"
    SYNC = "sync"
    OPERATOR = "operator"
    DOWNSTREAM = "downstream"


_ABOUT: Final = {
    ProcessUser.INGRESS: "`intercom-streams ingress`",
    ProcessUser.WORKER: "`intercom-streams worker`",
    ProcessUser.SCIM: "`intercom-streams scim`",
    ProcessUser.DELIVER: "`intercom-streams deliver`",
    ProcessUser.SYNC: "`intercom-streams sync`: it serves requests to read, writes what it read where webhooks go, and compares tables with it",
    ProcessUser.OPERATOR: "the command line: `topics apply`, `doctor`, `replay`, decisions, `backup`. It may use all of the installation and nothing of others",
    ProcessUser.DOWNSTREAM: "readers of public topics; each needs its own group beside",
}


def rights(user: ProcessUser) -> tuple[Right, ...]:
    """Return what a process may do; nothing else."""
    return tuple(_OF[user]())


def _ingress() -> Iterator[Right]:
    for name, topic in TOPICS.items():
        reads = ("Read",) if "ingress" in topic.read_by else ()
        writes = ("Write",) if "ingress" in topic.written_by else ()
        if reads or writes:
            yield Right(BrokerResource.TOPIC, name, ("Describe", *reads, *writes))


def _worker() -> Iterator[Right]:
    """It looks whether every topic is as it should be, and sends a record of a wrong partition to the right one of its source."""
    sources = set(source_topics())
    agents = {reader for name in sources for reader in TOPICS[name].read_by} | {"worker", _EVERY_PROCESS}
    for name, topic in TOPICS.items():
        reads = ("Read",) if name in sources or "worker" in topic.read_by else ()
        writes = ("Write",) if name in sources or agents & {*topic.written_by} else ()
        yield Right(BrokerResource.TOPIC, name, ("Describe", "DescribeConfigs", *reads, *writes))
    yield Right(BrokerResource.TOPIC, _OWN, ("Describe", "DescribeConfigs", "Read", "Write"), prefixed=True)
    yield Right(BrokerResource.GROUP, _OWN, ("Describe", "Read"), prefixed=True)
    yield Right(BrokerResource.TRANSACTIONAL_ID, _OWN, ("Describe", "Write"), prefixed=True)
    for name in ("announce", "identity-rules", "profile-policies"):
        yield Right(BrokerResource.TRANSACTIONAL_ID, name, ("Describe", "Write"))


def _scim() -> Iterator[Right]:
    yield Right(BrokerResource.TOPIC, facts.TOPIC, ("Describe", "Read", "Write"))
    yield Right(BrokerResource.TRANSACTIONAL_ID, "scim.", ("Describe", "Write"), prefixed=True)


def _deliver() -> Iterator[Right]:
    """It reads findings in a group for each endpoint, and writes who is paused and what was given up."""
    yield Right(BrokerResource.TOPIC, posted.SOURCE, ("Describe", "Read"))
    yield Right(BrokerResource.TOPIC, posted.REDELIVERIES, ("Describe", "Read"))
    yield Right(BrokerResource.TOPIC, endpoint_states.TOPIC, ("Describe", "Read", "Write"))
    yield Right(BrokerResource.TOPIC, dead_letters.TOPIC, ("Describe", "Write"))
    yield Right(BrokerResource.TOPIC, operations.TOPIC, ("Describe", "Write"))
    yield Right(BrokerResource.GROUP, f"{Naming().application}.webhook.", ("Describe", "Read"), prefixed=True)
    yield Right(BrokerResource.TRANSACTIONAL_ID, "deliver-", ("Describe", "Write"), prefixed=True)
    yield Right(BrokerResource.TRANSACTIONAL_ID, "webhooks", ("Describe", "Write"))


def _sync() -> Iterator[Right]:
    """It reads inbound topics for whether webhooks come, and the changelogs of what it compares; the workers' groups say how far they are."""
    own = {operations.TOPIC, generations.TOPIC, "access.state"}
    inbound = {*rest_objects.TOPICS.values(), lists.TOPIC}
    for name, topic in TOPICS.items():
        reads = ("Read",) if "sync" in topic.read_by or name in own | inbound else ()
        writes = ("Write",) if name in inbound or name in (operations.TOPIC, facts.TOPIC) else ()
        if reads or writes:
            yield Right(BrokerResource.TOPIC, name, ("Describe", *reads, *writes))
    yield Right(BrokerResource.TOPIC, _OWN, ("Describe", "Read"), prefixed=True)
    yield Right(BrokerResource.GROUP, _OWN, ("Describe",), prefixed=True)
    yield Right(BrokerResource.GROUP, f"{_OWN}sync", ("Describe", "Read"))
    for name in ("backfill-", "reconcile-", "sync-"):
        yield Right(BrokerResource.TRANSACTIONAL_ID, name, ("Describe", "Write"), prefixed=True)


def _operator() -> Iterator[Right]:
    everything = ("AlterConfigs", "Create", "Describe", "DescribeConfigs", "Read", "Write")
    yield Right(BrokerResource.TOPIC, "", everything, prefixed=True)
    yield Right(BrokerResource.GROUP, "", ("Describe", "Read"), prefixed=True)
    yield Right(BrokerResource.TRANSACTIONAL_ID, "", ("Describe", "Write"), prefixed=True)


def _downstream() -> Iterator[Right]:
    for name, topic in TOPICS.items():
        if "downstream" in topic.read_by and topic.encoding in (Encoding.AVRO, Encoding.JSON):
            yield Right(BrokerResource.TOPIC, name, ("Describe", "Read"))


_OF: Final = {
    ProcessUser.INGRESS: _ingress, ProcessUser.WORKER: _worker, ProcessUser.SCIM: _scim, ProcessUser.DELIVER: _deliver, ProcessUser.SYNC: _sync,
    ProcessUser.OPERATOR: _operator,
    ProcessUser.DOWNSTREAM: _downstream,
}  # fmt: skip

_HEAD: Final = """# Access rights at the brokers

With an authorizer (`authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer`, `allow.everyone.if.no.acl.found=false`) each process needs these rights, and a test holds on a
real broker that they suffice and that more is refused. Generated from `streams/ops/access_rights.py` by `python -m streams.ops.access_rights`. Names are without `kafka.topic_prefix`, which goes before each; a name that
ends in `*` is a prefix. Give each process a user of its own. Topics are created by the operator (`intercom-streams topics apply`), changelogs too, before workers start.

A user who may write to `access.facts` decides who has access, and one who may write to `intercom.*` speaks for Intercom.
"""


def document() -> str:
    """Return the page."""
    return _HEAD + "".join(f"{line}\n" for user in ProcessUser for line in _section(user))


def _section(user: ProcessUser) -> Iterator[str]:
    yield from ("", f"## {user}", "", f"{_ABOUT[user]}.", "", "| resource | name | operations |", "|---|---|---|")
    for right in rights(user):
        name = f"{right.name}*" if right.prefixed else right.name
        yield f"| {right.resource} | `{name}` | {', '.join(right.operations)} |"


if __name__ == "__main__":
    FILE.write_text(document())
    sys.stdout.write(f"{FILE.name} is up to date\n")
