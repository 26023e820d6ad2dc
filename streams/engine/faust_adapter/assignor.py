"""Who reads what: partition p of every source topic goes to the same worker, so that tables stay beside all their sources.

A worker keeps what it has as far as the balance allows, because a table that moves has to be restored. Each says when it joins what it
holds and since when; the leader decides from that. Faust falls back to aiokafka's round robin where it keeps no changelog tables of
its own, which splits co-partitioned topics and knows nothing of who had what.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

_VERSION = b"\x01"


class PartitionClaim(msgspec.Struct, frozen=True, array_like=True):
    """What a worker holds: by topic and partition the generation of the group since which it has it.

    `generation` is the last one it was given partitions in. The group counts generations for as long as it exists, so whoever comes back
    from a long sleep claims with a lower one than those who have worked meanwhile.
    """

    generation: int = 0
    held: Mapping[str, Mapping[int, int]] = msgspec.field(default_factory=dict)

    def renewed(self, generation: int, given: Iterable[tuple[str, Iterable[int]]]) -> "PartitionClaim":
        """Return the claim after an assignment: what is held still is held since the same time, unless others shared out meanwhile."""
        before = self.held if generation == self.generation + 1 else {}
        return PartitionClaim(
            generation, {topic: {p: before.get(topic, {}).get(p, generation) for p in parts} for topic, parts in given}
        )


def encode(claim: PartitionClaim) -> bytes:
    """Return the claim as bytes."""
    return _VERSION + msgspec.msgpack.encode(claim)


def decode(data: bytes | None) -> PartitionClaim:
    """Read what `encode` wrote. A release that claims nothing, or in words of its own, holds nothing that is known here."""
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

    Topics with equally many partitions and the same readers are shared out together, balanced within one. Of the members that may have
    one more, those that hold one more come first, then those that have least of other topics.
    """
    together: dict[tuple[int, tuple[str, ...]], list[str]] = defaultdict(list)
    for topic in sorted({topic for topics in subscribed.values() for topic in topics}):
        readers = tuple(sorted(member for member, topics in subscribed.items() if topic in topics))
        together[counts.get(topic, 0), readers].append(topic)
    shares: dict[str, dict[str, list[int]]] = {member: {} for member in subscribed}
    for (count, readers), topics in sorted(together.items()):
        loads = {member: sum(map(len, shares[member].values())) for member in readers}
        for member, parts in _shared(count, loads, _holders(readers, topics, claims)).items():
            shares[member] |= {topic: parts for topic in topics if parts}
    return shares


def _holders(readers: Sequence[str], topics: Sequence[str], claims: Mapping[str, PartitionClaim]) -> dict[int, tuple[str, int]]:
    """Return who holds each partition, since when: where several say so, the one that was given partitions last."""
    found: dict[int, tuple[str, int]] = {}
    for member in sorted(readers, key=lambda member: claims[member].generation):
        for topic in topics:
            found |= {partition: (member, since) for partition, since in claims[member].held.get(topic, {}).items()}
    return found


def _shared(count: int, loads: Mapping[str, int], holders: Mapping[int, tuple[str, int]]) -> dict[str, list[int]]:
    """Share out partitions: what is held longest stays, so that one who was away for a moment finds again what is on its disk."""
    least, odd = divmod(count, len(loads))
    held: dict[str, list[int]] = {member: [] for member in loads}
    for partition, (member, _) in sorted(holders.items(), key=lambda item: (item[1][1], item[0])):
        if partition < count:
            held[member].append(partition)
    order = sorted(loads, key=lambda member: (len(held[member]) <= least, loads[member], member))
    room = {member: least + (rank < odd) for rank, member in enumerate(order)}
    shares = {member: parts[: room[member]] for member, parts in held.items()}
    free = sorted(set(range(count)) - {partition for parts in shares.values() for partition in parts}, reverse=True)
    for member in order:
        while len(shares[member]) < room[member]:
            shares[member].append(free.pop())
    return {member: sorted(parts) for member, parts in shares.items()}


class CoPartitionAssignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
    """`shared_out`, as aiokafka asks for it. An instance for each consumer: it remembers what that consumer was given.

    aiokafka calls a strategy's methods on whatever it was given, so it need not be the class that its own strategies are.
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
        """Return what a member says of itself: its topics, and what it holds."""
        return ConsumerProtocolMemberMetadata(self.version, list(topics), encode(self.claim))

    def on_assignment(self, assignment: Any) -> None:
        """Remember what was given."""
        self.claim = self.claim.renewed(self._generation(), assignment.assignment)
