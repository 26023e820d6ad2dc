"""The position from which a partition is read, or why it is not read."""

import pytest

from schemas.errors import MissingRecords
from streams.engine.tables import commit_state as commit_states


def position(
    *, changelog: int | None = None, group: int | None = None, empty: bool = False, start: int = 0, end: int = 100
) -> int:
    return commit_states.resume_position("in", 3, changelog=changelog, group=group, table_empty=empty, start=start, end=end)


def test_a_partition_never_read_begins_at_the_start_of_its_log() -> None:
    assert position(empty=True, start=7) == 7


def test_offsets_set_to_the_start_of_a_whole_log_are_a_first_reading_too() -> None:
    assert position(group=0, empty=True) == 0


def test_a_changelog_that_does_not_begin_at_its_first_record_has_lost_rows() -> None:
    commit_states.require_whole_log("count.changelog", 3, 0)
    with pytest.raises(MissingRecords, match=r"partition 3 of count\.changelog: the log now begins at 7\."):
        commit_states.require_whole_log("count.changelog", 3, 7)


def test_changelog_and_group_agree() -> None:
    assert position(changelog=50, group=50) == 50


def test_expired_group_offsets_leave_the_changelog_to_decide() -> None:
    assert position(changelog=50) == 50


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"group": 50, "empty": True}, "changelog was lost"),
        ({"group": 50, "start": 50, "empty": True}, "changelog was lost"),
        ({"changelog": 50, "group": 60}, "one of them was changed from outside"),
        ({"changelog": 50, "group": 50, "start": 51}, "deleted before they were read"),
        ({"changelog": 50, "group": 50, "end": 49}, "truncated or recreated"),
    ],
)
def test_a_gap_is_never_accepted_silently(case: dict[str, int], reason: str) -> None:
    with pytest.raises(MissingRecords, match=reason) as raised:
        position(**case)
    assert "partition 3 of in" in str(raised.value)


def test_a_standing_survives_the_changelog() -> None:
    commit_state = commit_states.CommitState({"in": 5, "other": 0}, (b"a", b"b"))
    assert commit_states.decode(commit_states.encode(commit_state)) == commit_state
