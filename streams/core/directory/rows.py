"""The rows of a workspace's directory: what its lists have shown, and what was decided about it."""

from typing import Final, TypeAlias, Union

import msgspec

WORKSPACE_ITEM: Final = ""

Intervals = tuple[tuple[int, int | None], ...]
"""When something was there (ms): from the list that first had it to the complete list that lacked it, None while it is there."""


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """What was decided, None where it was taken back, and the decision itself."""

    value: bool | str | None
    decision: str


class ListedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="workspace"):
    """The newest complete list of each kind, by when it was asked for (ms), and accounts of the workspace's bot."""

    lists: dict[str, int] = {}
    bots: tuple[str, ...] = ()


class PartRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="part"):
    """A part of a list whose other parts are not there yet."""

    requested_at: int
    items: bytes  # a JSON list


class TeamRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="team"):
    """A team, and whether it is selected."""

    name: str | None = None
    intervals: Intervals = ()
    selected: Choice | None = None
    sequence: int = 0


class MemberRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="member"):
    """An agent in a team, and whether they are selected in it."""

    intervals: Intervals = ()
    selected: Choice | None = None
    sequence: int = 0


class AgentRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="agent"):
    """An agent: what lists say, the choices, the teams they are in and are selected in, and how far their import is."""

    name: str | None = None
    email: str | None = None
    has_inbox_seat: bool | None = None
    away: bool | None = None
    intercom_role: tuple[str | None, str | None] = (None, None)  # id, name
    intervals: Intervals = ()
    teams: tuple[str, ...] = ()
    selected_in: tuple[str, ...] = ()
    selected: Choice | None = None
    role: Choice | None = None
    request: str | None = None
    sequence: int = 0
    role_fact: str | None = None  # the fact that says to access which role was chosen

    def __repr__(self) -> str:
        return f"AgentRow({len(self.teams)} teams, {self.request})"


DirectoryRow: TypeAlias = Union[ListedRow, PartRow, TeamRow, MemberRow, AgentRow]  # noqa: UP007 - this form has the name that errors show


def is_there(intervals: Intervals) -> bool:
    """Return whether the latest complete list has it."""
    return bool(intervals) and intervals[-1][1] is None


def seen(intervals: Intervals, at: int) -> Intervals:
    """Return the intervals after a list that has it."""
    return intervals if is_there(intervals) else (*intervals, (at, None))


def missing(intervals: Intervals, at: int) -> Intervals:
    """Return the intervals after a complete list that lacks it; a list of the other kind can be older than where an interval begins."""
    return (*intervals[:-1], (intervals[-1][0], max(at, intervals[-1][0]))) if is_there(intervals) else intervals


def is_selected(choice: Choice | None) -> bool:
    """Return whether it is selected: who is undecided is not."""
    return choice is not None and choice.value is True


def with_entry(entries: tuple[str, ...], entry: str, *, held: bool) -> tuple[str, ...]:
    """Return a sorted set with the entry, or without it."""
    return tuple(sorted({*entries, entry} if held else {*entries} - {entry}))
