"""The group's assignment strategy: partition p of every source topic goes to the same worker, which has the table of all of them.

A worker keeps its partitions as far as the balance allows, because a table that moves has to be restored. Each member's join
request contains a claim: which partitions it owns, and since when; the leader decides from the claims. Without changelog tables
of its own, Faust falls back to aiokafka's round robin, which splits co-partitioned topics and ignores previous owners.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

_VERSION = b"\x01"


class PartitionClaim(msgspec.Struct, frozen=True, array_like=True):
    """What a worker owns: by topic and partition the generation of the group since which it owns it.

    `generation` is that of the worker's last assignment. The group counts generations for as long as it exists, so a worker that
    returns after a long freeze claims with a lower one than workers that were active meanwhile.
    """

    generation: int = 0
    owned: Mapping[str, Mapping[int, int]] = msgspec.field(default_factory=dict)

    def after(self, generation: int, assigned: Iterable[tuple[str, Iterable[int]]]) -> "PartitionClaim":
        """Return the claim after an assignment: partitions kept keep their generation, unless the worker missed an assignment."""
        before = self.owned if generation == self.generation + 1 else {}
        return PartitionClaim(
            generation,
            {topic: {p: before.get(topic, {}).get(p, generation) for p in partitions} for topic, partitions in assigned},
        )


def encode(claim: PartitionClaim) -> bytes:
    """Return the claim as bytes."""
    return _VERSION + msgspec.msgpack.encode(claim)


def decode(data: bytes | None) -> PartitionClaim:
    """Decode a claim. User data of a release without claims, or with claims of another form, decodes as an empty claim."""
    if not data or data[:1] != _VERSION:
        return PartitionClaim()
    try:
        return msgspec.msgpack.decode(data[1:], type=PartitionClaim)
    except msgspec.DecodeError:
        return PartitionClaim()


def assign_partitions(
    counts: Mapping[str, int], subscribed: Mapping[str, Collection[str]], claims: Mapping[str, PartitionClaim]
) -> dict[str, dict[str, list[int]]]:
    """Return each member's partitions by topic.

    Topics with the same number of partitions and the same readers are assigned together, balanced within one. Of the members that
    may have one more, those that own one more come first, then those that have fewest of other topics.
    """
    topic_groups: dict[tuple[int, tuple[str, ...]], list[str]] = defaultdict(list)
    for topic in sorted({topic for topics in subscribed.values() for topic in topics}):
        readers = tuple(sorted(member for member, topics in subscribed.items() if topic in topics))
        topic_groups[counts.get(topic, 0), readers].append(topic)
    shares: dict[str, dict[str, list[int]]] = {member: {} for member in subscribed}
    for (count, readers), topics in sorted(topic_groups.items()):
        loads = {member: sum(map(len, shares[member].values())) for member in readers}
        for member, partitions in _balance(count, loads, _owners(readers, topics, claims)).items():
            shares[member] |= {topic: partitions for topic in topics if partitions}
    return shares


def _owners(readers: Sequence[str], topics: Sequence[str], claims: Mapping[str, PartitionClaim]) -> dict[int, tuple[str, int]]:
    """Return each partition's owner and since when: of several claims, that of the member with the latest assignment."""
    owners: dict[int, tuple[str, int]] = {}
    for member in sorted(readers, key=lambda member: claims[member].generation):
        for topic in topics:
            owners |= {partition: (member, since) for partition, since in claims[member].owned.get(topic, {}).items()}
    return owners


def _balance(count: int, loads: Mapping[str, int], owners: Mapping[int, tuple[str, int]]) -> dict[str, list[int]]:
    """Assign partitions: those owned longest stay, so that a worker that was briefly away finds its tables on its disk again."""
    base, extra = divmod(count, len(loads))
    owned: dict[str, list[int]] = {member: [] for member in loads}
    for partition, (member, _) in sorted(owners.items(), key=lambda item: (item[1][1], item[0])):
        if partition < count:
            owned[member].append(partition)
    order = sorted(loads, key=lambda member: (len(owned[member]) <= base, loads[member], member))
    quota = {member: base + (rank < extra) for rank, member in enumerate(order)}
    shares = {member: partitions[: quota[member]] for member, partitions in owned.items()}
    free = sorted(set(range(count)) - {partition for share in shares.values() for partition in share}, reverse=True)
    for member in order:
        while len(shares[member]) < quota[member]:
            shares[member].append(free.pop())
    return {member: sorted(share) for member, share in shares.items()}


class CoPartitionAssignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
    """`assign_partitions` as a strategy of aiokafka. Each consumer has an instance, which remembers that consumer's assignment.

    aiokafka calls a strategy's methods on the object it was given, so an instance works where its own strategies are classes.
    """

    name = "copartition"
    version = 0

    def __init__(self, generation: Callable[[], int]) -> None:
        self._generation = generation
        self.claim = PartitionClaim()

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return each member's partitions."""
        subscribed = {member: metadata.subscription for member, metadata in members.items()}
        topics = {topic for names in subscribed.values() for topic in names}
        counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        claims = {member: decode(metadata.user_data) for member, metadata in members.items()}
        return {
            member: ConsumerProtocolMemberAssignment(self.version, sorted(share.items()), b"")
            for member, share in assign_partitions(counts, subscribed, claims).items()
        }

    def metadata(self, topics: Any) -> Any:
        """Return a member's metadata: its topics and its claim."""
        return ConsumerProtocolMemberMetadata(self.version, list(topics), encode(self.claim))

    def on_assignment(self, assignment: Any) -> None:
        """Remember the assignment."""
        self.claim = self.claim.after(self._generation(), assignment.assignment)
