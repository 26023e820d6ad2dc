"""Who reads what: partition p of every source topic goes to the same worker, so that tables stay beside all their sources.

Faust falls back to aiokafka's round robin where it keeps no changelog tables of its own; that splits co-partitioned topics.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class CoPartitionAssignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
    """Give partition p of every topic to member p modulo the number of members that subscribe to it."""

    name = "copartition"
    version = 0

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return each member's partitions; members order by their ids."""
        given: dict[str, dict[str, list[int]]] = {member: defaultdict(list) for member in members}
        for topic in sorted({topic for metadata in members.values() for topic in metadata.subscription}):
            readers = sorted(member for member, metadata in members.items() if topic in metadata.subscription)
            for partition in sorted(cluster.partitions_for_topic(topic) or ()):
                given[readers[partition % len(readers)]][topic].append(partition)
        return {
            member: ConsumerProtocolMemberAssignment(cls.version, sorted(topics.items()), b"") for member, topics in given.items()
        }

    @classmethod
    def metadata(cls, topics: Any) -> Any:
        """Return what a member says of itself: its topics."""
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: Any) -> None:
        """Keep nothing: every assignment is computed afresh."""
