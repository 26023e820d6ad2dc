"""Where a partition is read on from, or why not."""

import pytest

from schemas.errors import MissingRecords
from streams.engine.tables import commit_state as positions


def at(*, kept: int | None = None, committed: int | None = None, empty: bool = False, start: int = 0, end: int = 100) -> int:
    return positions.agreed("in", 3, kept=kept, committed=committed, table_empty=empty, start=start, end=end)


def test_a_partition_never_read_begins_at_the_start_of_its_log() -> None:
    assert at(empty=True, start=7) == 7


def test_offsets_set_to_the_start_of_a_whole_log_are_a_first_reading_too() -> None:
    assert at(committed=0, empty=True) == 0


def test_a_changelog_that_does_not_begin_at_its_first_record_has_lost_rows() -> None:
    positions.complete("count.changelog", 3, 0)
    with pytest.raises(MissingRecords, match=r"partition 3 of count\.changelog: the log now begins at 7\."):
        positions.complete("count.changelog", 3, 7)


def test_changelog_and_group_agree() -> None:
    assert at(kept=50, committed=50) == 50


def test_expired_group_offsets_leave_the_changelog_to_decide() -> None:
    assert at(kept=50) == 50


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"committed": 50, "empty": True}, "changelog was lost"),
        ({"committed": 50, "start": 50, "empty": True}, "changelog was lost"),
        ({"kept": 50, "committed": 60}, "one of them was changed from outside"),
        ({"kept": 50, "committed": 50, "start": 51}, "deleted before they were read"),
        ({"kept": 50, "committed": 50, "end": 49}, "truncated or recreated"),
    ],
)
def test_a_gap_is_never_accepted_silently(case: dict[str, int], said: str) -> None:
    with pytest.raises(MissingRecords, match=said) as raised:
        at(**case)
    assert "partition 3 of in" in str(raised.value)


def test_a_standing_survives_the_changelog() -> None:
    standing = positions.CommitState({"in": 5, "other": 0}, (b"a", b"b"))
    assert positions.decode(positions.encode(standing)) == standing
