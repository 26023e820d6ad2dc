"""Partition p of all topics goes to one worker, every partition to exactly one, and no table moves without need."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.settings import KafkaSettings
from streams.engine.faust_adapter.assignor import CoPartitionAssignor, PartitionClaim, assign_partitions, decode, encode
from streams.engine.runner import Running, running
from tests.support.changelogs import AGENT, QUICK
from tests.support.counting_agent import PARTITIONS, create_topics
from tests.support.engines import live, until

COUNTS = {"a": 4, "b": 4, "c": 7}


class Cluster:
    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.counts[topic])) if topic in self.counts else None


class Group:
    """Workers that join, leave and assign partitions, as the coordinator lets them."""

    def __init__(self, counts: Mapping[str, int] = COUNTS) -> None:
        self.cluster = Cluster(counts)
        self.generation = 0
        self.members: dict[str, CoPartitionAssignor] = {}
        self.started = 0

    def join(self, name: str = "") -> str:
        self.started += 1
        member = name or f"{self.started * 7919 % 104729:06d}"  # ids are random: order says nothing
        self.members[member] = CoPartitionAssignor(lambda: self.generation)
        return member

    def rebalance(self, present: Sequence[str] | None = None) -> dict[str, dict[str, list[int]]]:
        self.generation += 1
        members = {name: self.members[name] for name in present or self.members}
        metadata = {name: over_the_wire(assignor.metadata(list(self.cluster.counts))) for name, assignor in members.items()}
        shares = next(iter(members.values())).assign(self.cluster, metadata)
        for name, assignor in members.items():
            assignor.on_assignment(ConsumerProtocolMemberAssignment.decode(shares[name].encode()))
        return {name: dict(share.assignment) for name, share in shares.items()}


def over_the_wire(metadata: ConsumerProtocolMemberMetadata) -> ConsumerProtocolMemberMetadata:
    return ConsumerProtocolMemberMetadata.decode(metadata.encode())


def stayed(before: dict[str, dict[str, list[int]]], after: dict[str, dict[str, list[int]]], topic: str) -> int:
    """Count the partitions that did not move."""
    return sum(len(set(share.get(topic, ())) & set(before.get(name, {}).get(topic, ()))) for name, share in after.items())


def most_that_can_stay(before: dict[str, dict[str, list[int]]], after: dict[str, dict[str, list[int]]], topic: str) -> int:
    """Count the partitions that can stay in a balanced assignment: each member's base, and the extra ones."""
    base, extra = divmod(COUNTS[topic], len(after))
    previous = [len(before.get(name, {}).get(topic, ())) for name in after]
    return sum(min(count, base) for count in previous) + min(extra, sum(count > base for count in previous))


def check(shares: dict[str, dict[str, list[int]]], counts: Mapping[str, int] = COUNTS) -> None:
    """Every partition once; topics with the same number of partitions assigned alike; balanced within one."""
    assigned = Counter((topic, p) for share in shares.values() for topic, partitions in share.items() for p in partitions)
    assert assigned == Counter((topic, p) for topic, count in counts.items() for p in range(count))
    for share in shares.values():
        assert share.get("a") == share.get("b")
    for topic in counts:
        loads = [len(share.get(topic, ())) for share in shares.values()]
        assert max(loads) - min(loads) <= 1


@given(st.lists(st.sampled_from(["join", "leave", "restart", "stay"]), max_size=15))
def test_whoever_comes_and_goes_each_partition_has_one_worker_and_none_moves_that_need_not(history: list[str]) -> None:
    group = Group()
    group.join()
    before = group.rebalance()
    check(before)
    for number, event in enumerate(history):
        if event in ("leave", "restart") and len(group.members) > 1:
            del group.members[sorted(group.members)[number % len(group.members)]]
        if event in ("join", "restart"):
            group.join()
        after = group.rebalance()
        check(after)
        assert {topic: stayed(before, after, topic) for topic in COUNTS} == {
            topic: most_that_can_stay(before, after, topic) for topic in COUNTS
        }
        before = after


def test_one_that_joins_gets_its_share_and_nothing_else_moves() -> None:
    group = Group({"a": 12})
    group.join()
    group.join()
    before = group.rebalance()
    third = group.join()
    after = group.rebalance()
    assert stayed(before, after, "a") == 8
    assert len(after[third]["a"]) == 4
    assert sorted(map(len, (share["a"] for share in after.values()))) == [4, 4, 4]


def test_one_that_leaves_gives_what_it_had_and_nothing_else_moves() -> None:
    group = Group({"a": 12})
    names = [group.join() for _ in range(3)]
    before = group.rebalance()
    del group.members[names[1]]
    after = group.rebalance()
    assert stayed(before, after, "a") == 8
    assert {p for share in after.values() for p in share["a"]} == set(range(12))


def test_a_rebalance_that_changes_nobody_moves_nothing() -> None:
    group = Group()
    for _ in range(3):
        group.join()
    assert group.rebalance() == group.rebalance()


def test_workers_restarted_one_after_the_other_each_get_back_what_they_had() -> None:
    """Each has a new id, and its tables are on its disk."""
    group = Group({"a": 9})
    names = [group.join() for _ in range(3)]
    before = group.rebalance()
    for name in names:
        previous = before[name]
        del group.members[name]
        group.rebalance()
        again = group.join()
        before = group.rebalance()
        assert before[again] == previous


@pytest.mark.parametrize(("sleeper", "worker"), [("1", "2"), ("2", "1")])
def test_one_that_was_asleep_takes_nothing_from_one_that_worked_meanwhile(sleeper: str, worker: str) -> None:
    """It owned everything for long, and still claims it; its claim is as old as its last generation."""
    group = Group({"a": 5})
    group.join(sleeper)
    for _ in range(3):
        group.rebalance()
    group.join(worker)
    group.rebalance([worker])
    after = group.rebalance()
    assert len(after[worker]["a"]) == 3, "the extra one stays where it was last"
    assert group.rebalance() == after
    leader = group.members[worker]
    assert set(leader.claim.owned["a"].values()) == {4}
    assert set(group.members[sleeper].claim.owned["a"].values()) == {5}, "what it owns again counts from now on"


def test_workers_of_a_release_that_claims_nothing_take_part() -> None:
    group = Group({"a": 4})
    new = group.join("new")
    group.rebalance()
    old = ConsumerProtocolMemberMetadata(0, ["a"], b"")
    shares = group.members[new].assign(group.cluster, {"old": old, "new": over_the_wire(group.members[new].metadata(["a"]))})
    assert {name: dict(share.assignment) for name, share in shares.items()} == {"new": {"a": [0, 1]}, "old": {"a": [2, 3]}}


def test_topics_that_only_some_read_are_shared_among_those() -> None:
    """A release that reads one more topic joins one that does not: both keep partitions of the topics that both read."""
    shares = assign_partitions(
        {"a": 4, "new": 4}, {"m1": ["a"], "m2": ["a", "new"]}, {"m1": PartitionClaim(), "m2": PartitionClaim()}
    )
    assert sorted(shares["m1"]) == ["a"]
    assert shares["m2"]["new"] == [0, 1, 2, 3]
    assert len(shares["m1"]["a"]) == len(shares["m2"]["a"]) == 2


def test_a_topic_the_broker_does_not_have_is_nobodys() -> None:
    group = Group({"a": 1})
    name = group.join()
    metadata = {name: over_the_wire(group.members[name].metadata(["a", "missing"]))}
    assert dict(group.members[name].assign(group.cluster, metadata)[name].assignment) == {"a": [0]}


def test_a_partition_beyond_the_topics_end_is_no_claim() -> None:
    """The topic was recreated with fewer partitions."""
    assert assign_partitions({"a": 1}, {"m": ["a"]}, {"m": PartitionClaim(1, {"a": {0: 1, 5: 1}})}) == {"m": {"a": [0]}}


@pytest.mark.parametrize("data", [None, b"", b"\x02", b"\x01", b"\x01\xff", b"sticky"])
def test_user_data_of_others_claims_nothing(data: bytes | None) -> None:
    assert decode(data) == PartitionClaim()


def test_a_claim_survives_its_encoding() -> None:
    claim = PartitionClaim(7, {"a": {0: 3, 2: 7}})
    assert decode(encode(claim)) == claim
    assert msgspec.msgpack.decode(encode(claim)[1:]) == [7, {"a": {0: 3, 2: 7}}]


@pytest.mark.asyncio
async def test_on_a_broker_a_third_worker_takes_one_partition_and_no_other_moves(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    await create_topics(settings, AGENT)
    async with (
        running((AGENT,), kafka=settings, limits=QUICK) as first,
        running((AGENT,), kafka=settings, limits=QUICK) as second,
    ):
        await until(lambda: len(live(first)) == len(live(second)) == 2, "two share")
        before = live(first), live(second)
        async with running((AGENT,), kafka=settings, limits=QUICK) as third:
            await until(lambda: len(live(third)) == 1 and all_live(first, second, third), "three share")
            assert (live(first) <= before[0], live(second) <= before[1]) == (True, True)
        await until(lambda: all_live(first, second), "two share again")
        assert len(live(first)) == len(live(second)) == 2
        assert len(live(first) & before[0]) + len(live(second) & before[1]) >= 3


def all_live(*workers: Running) -> bool:
    return sorted(partition for work in workers for partition in live(work)) == list(range(PARTITIONS))
