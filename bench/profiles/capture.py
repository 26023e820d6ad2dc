"""Run the product once over a workload and keep what its agents wrote, without its warm-up."""

from pathlib import Path

from bench.cluster import Cluster
from bench.profiles.prepared import HopWriting, PreparedRecord, prepared_hop, save
from bench.profiles.systems import OURS
from bench.profiles.systems.job import CONTACTS_AGENT, IDENTITY_AGENT, MEMBERSHIPS_AGENT, PEOPLE_AGENT
from bench.profiles.trial import CHANGES, PATCHES, PEOPLE, Ends, measured, records
from bench.profiles.workloads import Routed, about_contacts
from streams.engine.naming import Naming

_MEMBERSHIPS, _CLAIMS, _ASSIGNMENTS, _ALIASES = "memberships", "identity.claims", "contact.assignments", "people.aliases"
_EDGES = "membership.edges"


def capture(cluster: Cluster, workload: Routed, file: Path) -> None:
    """Write the file."""
    posts = about_contacts(workload.measured)
    with measured(cluster, OURS, workload, trial_name=f"capture-{file.name}") as (deployment, result, _):
        names = Naming(prefix=deployment.prefix)
        contacts = HopWriting(changelog=names.changelog(CONTACTS_AGENT), outputs=(PATCHES, _EDGES, _CLAIMS), inputs=posts)
        patches, claims, edges = (_records(cluster, names.topic(topic), result.began) for topic in (PATCHES, _CLAIMS, _EDGES))
        people = HopWriting(
            changelog=names.changelog(PEOPLE_AGENT), outputs=(PEOPLE, CHANGES, _ALIASES), inputs=max(1, len(patches))
        )
        identity = HopWriting(changelog=names.changelog(IDENTITY_AGENT), outputs=(_ASSIGNMENTS,), inputs=max(1, len(claims)))
        memberships = HopWriting(changelog=names.changelog(MEMBERSHIPS_AGENT), outputs=(_MEMBERSHIPS,), inputs=max(1, len(edges)))
        writings = {CONTACTS_AGENT: contacts, PEOPLE_AGENT: people, IDENTITY_AGENT: identity, MEMBERSHIPS_AGENT: memberships}
        hops = {
            agent: prepared_hop(
                writing,
                {topic: _records(cluster, names.topic(topic), result.began) for topic in (writing.changelog, *writing.outputs)},
            )
            for agent, writing in writings.items()
        }
    save(hops, file)


def _records(cluster: Cluster, topic: str, began: Ends) -> list[PreparedRecord]:
    return [
        PreparedRecord(message.key(), message.value(), tuple((name, value) for name, value in message.headers() or ()))
        for message in records(cluster, topic, began.get(topic))
    ]
