"""The encoding of a partition: it keeps its own, a configured or received newer one raises it, and nothing lowers it."""

import msgspec
import pytest

from schemas.errors import MustStop
from schemas.message import RecordValue
from streams.engine.agent import Batch
from streams.engine.encodings import Encodings
from streams.engine.in_memory import MemoryTable
from streams.engine.partition.step_runner import run_step
from streams.engine.tables import commit_state as commit_states
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import MemoryStore
from tests.streams.engine.partition.test_processor import at_work, fetched, quiet
from tests.support.counting_agent import SECOND, SOURCE, Numbers
from tests.support.releases import NEW, OLD, Tally, agents_of

LABEL = "partition 3 of the contacts agent"


def of(commit_state: CommitState, *, configured: int = 0, siblings: tuple[int, ...] = (), newest: int = 3) -> int:
    return Encodings(newest=newest, configured=configured).of(commit_state.current_encoding, LABEL, siblings)


@pytest.mark.parametrize(
    ("encoding", "configured", "then"),
    [
        (1, 0, 1),  # nothing is configured
        (2, 0, 2),
        (1, 3, 3),
        (2, 1, 2),  # configured too late: never down
    ],
)
def test_a_partition_stays_in_its_encoding_until_told_and_never_goes_back(encoding: int, configured: int, then: int) -> None:
    assert of(CommitState({"in": 5}, (), encoding), configured=configured) == then


def test_a_new_installation_is_written_in_the_newest() -> None:
    assert of(CommitState()) == 3


def test_a_partition_with_nothing_in_it_goes_with_the_oldest_of_the_others() -> None:
    assert of(CommitState(), siblings=(2, 1, 2)) == 1
    assert of(CommitState(), siblings=(2, 1, 2), configured=2) == 2


def test_a_partition_that_a_newer_release_wrote_is_refused_by_name() -> None:
    with pytest.raises(MustStop, match=r"partition 3 of the contacts agent is in encoding 4 .* newer release"):
        of(CommitState({"in": 5}, (), 4), configured=3)


def test_what_is_left_to_be_decided_is_said_until_it_is() -> None:
    assert "stay in encoding 1," in Encodings(newest=3).advice([2, 1, 3])
    assert "set [worker] encoding = 3" in Encodings(newest=3).advice([2])
    assert Encodings(newest=3).advice([3, 3]) == Encodings(newest=3).advice([]) == ""


def test_where_a_table_stood_before_there_were_encodings_is_encoding_1() -> None:
    assert commit_states.decode(msgspec.msgpack.encode([{"in": 5}, []])) == CommitState({"in": 5}, (), 1)


def test_where_a_table_stands_can_be_read_when_a_newer_release_has_more_to_say() -> None:
    assert commit_states.decode(msgspec.msgpack.encode([{"in": 5}, [b"c"], 2, "more"])) == CommitState({"in": 5}, (b"c",), 2)


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x90\x90", msgspec.msgpack.encode({"in": 5}), msgspec.msgpack.encode([{"in": "x"}])]
)
def test_where_a_table_stands_is_not_guessed(data: bytes) -> None:
    with pytest.raises(MustStop, match="cannot be read"):
        commit_states.decode(data)


@pytest.mark.parametrize("data", [b"\xc1", b"", b"\xa3abc"])
def test_a_row_that_cannot_be_read_is_not_the_fault_of_the_record_that_needs_it(data: bytes) -> None:
    store = MemoryStore()
    store.apply({"k": data})
    for agent in (agents_of(2)[0], msgspec.structs.replace(agents_of(2)[0], codec=Numbers)):
        with pytest.raises(MustStop, match="a row of a table cannot be read"):
            run_step(agent, Batch(SOURCE, 0, [RecordValue(b"k", b"x")]), store)


def test_a_row_that_cannot_be_read_stops_a_walk_too() -> None:
    table = MemoryTable(NEW)
    table.store.apply({"k|a": b"\xc1"})
    with pytest.raises(MustStop):
        list(table.walk("k"))


@pytest.mark.parametrize(("encoding", "row"), [(1, OLD.encode(1)), (2, NEW.encode(Tally(1, 1)))])
def test_rows_and_records_are_written_as_their_partition_is(encoding: int, row: bytes) -> None:
    result = run_step(agents_of(2)[0], Batch(SOURCE, 0, [RecordValue(b"k", b"x")]), MemoryStore(), encoding)
    assert result.changes() == {"k": row}
    assert [value for _, _, value, _, _ in result.sent] == [row]


def test_what_is_told_of_a_newer_encoding_is_kept_in_it() -> None:
    """Otherwise a partition that is raised later would drop what the agent before it already sends."""
    result = run_step(agents_of(2)[1], Batch(SECOND, 0, [RecordValue(b"k", NEW.encode(Tally(7, 3)))]), MemoryStore(), 1)
    assert result.encoding == 2
    assert result.changes() == {"k": NEW.encode(Tally(7, 3))}


def test_what_is_told_of_an_older_encoding_does_not_lower() -> None:
    result = run_step(agents_of(2)[1], Batch(SECOND, 0, [RecordValue(b"k", OLD.encode(7))]), MemoryStore(), 2)
    assert result.encoding == 2
    assert result.changes() == {"k": NEW.encode(Tally(7, 0))}


@pytest.mark.asyncio
async def test_a_lane_keeps_its_encoding_and_the_positions_of_topics_that_only_another_release_reads() -> None:
    async with at_work({SOURCE: 0}) as (processor, _, _):
        processor.commit_state = CommitState({SOURCE: 0, "of.another.release": 9}, (), 2)
        processor.offer(fetched(0, 3))
        await quiet()
        assert processor.commit_state == CommitState({SOURCE: 3, "of.another.release": 9}, (), 2)
        assert processor.positions == {SOURCE: 3}
        assert processor.caught_up
