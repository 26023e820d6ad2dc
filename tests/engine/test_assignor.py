"""Partition p of all topics goes to one worker, every partition to exactly one."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.assignor import CoPartitionAssignor


class Cluster:
    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self.counts[topic]))


@given(st.integers(1, 9), st.integers(1, 17), st.integers(1, 5))
def test_copartitions_stay_together_and_none_is_left_out(workers: int, partitions: int, topics: int) -> None:
    counts = {f"t{number}": partitions for number in range(topics)}
    members = {f"m{number}": SimpleNamespace(subscription=list(counts)) for number in range(workers)}
    given_ = CoPartitionAssignor.assign(Cluster(counts), members)
    owners: dict[int, set[str]] = {}
    seen: list[tuple[str, int]] = []
    for member, assignment in given_.items():
        for topic, parts in assignment.assignment:
            for partition in parts:
                owners.setdefault(partition, set()).add(member)
                seen.append((topic, partition))
    assert sorted(seen) == sorted((topic, partition) for topic in counts for partition in range(partitions))
    assert all(len(who) == 1 for who in owners.values())
    loads = [sum(len(parts) for _, parts in assignment.assignment) for assignment in given_.values()]
    assert max(loads) - min(loads) <= topics
