from schemas.profiles.memberships import MembershipEdge
from schemas.profiles.version import Rank, Version
from streams.core.profiles.memberships import company_edges, oldest_edge
from streams.core.records.registers import edge_registers, join

ADA = "app1:a"


def at(second, rank=Rank.SNAPSHOT):
    return Version(second, rank, 0, 0, f"e{second}")


def test_an_edge_says_since_when_and_ends_with_the_record():
    registers = join(
        edge_registers(at(1, Rank.ADD), ["company:x"], on=True), edge_registers(at(5), ["company:x", "tag:y"], on=True)
    )
    assert company_edges("p", ADA, registers) == {"app1:x": MembershipEdge("p", 1000, "e1")}
    deleted = edge_registers(at(9, Rank.DELETE), ["deleted"], on=True)
    assert company_edges("p", ADA, join(registers, deleted)) == {}


def test_the_oldest_of_several_edges_stands_for_all_and_at_equal_times_texts_decide():
    first, second, third = (MembershipEdge("p", since, event) for since, event in ((5, "b"), (5, "a"), (9, "a")))
    assert oldest_edge([("app1:x", first), ("app1:y", second), ("app1:z", third)]) == ("app1:y", second)
    assert oldest_edge([("app1:y", second), ("app1:x", second)]) == ("app1:x", second)
    assert oldest_edge([]) is None
