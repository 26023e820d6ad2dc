"""Whom a name or an address means, and who is listed as undecided, once somebody or a team has left."""

from typing import Any

import pytest

from schemas.errors import BadConfiguration
from streams.cli.verbs.directory.show import _rows
from streams.ops.directory.selection_file import SelectionFile, wishes_of
from streams.ops.directory.state import DirectoryState


def team(name: str | None, *, present: bool = True, selected: bool | None = None) -> dict[str, Any]:
    return {"name": name, "present": present, "selected": selected, "imported": False}


def agent(email: str | None, *, present: bool = True, selected: bool | None = None) -> dict[str, Any]:
    return {"name": None, "email": email, "present": present, "selected": selected, "teams": [], "imported": False}


def test_an_address_means_who_is_there_and_not_who_had_it_before() -> None:
    """Somebody who left and was invited again has another id and the same address; a team that was made again likewise."""
    state = DirectoryState(
        {"10": team("Support", present=False), "11": team("support")},
        {},
        {"1": agent("jo@a.example", present=False, selected=True), "2": agent("Jo@a.example")},
    )
    assert (state.team("Support"), state.agent("jo@a.example")) == ("11", "2")
    wishes = wishes_of(SelectionFile(teams=("Support",), agents=("jo@a.example",)), state)
    assert {(each.team, each.agent, each.selected) for each in wishes} == {
        ("11", None, True),
        (None, "2", True),
        (None, "1", False),
    }


def test_who_has_left_is_meant_where_nobody_else_is_and_two_who_are_there_are_not_told_apart() -> None:
    gone = DirectoryState({}, {}, {"1": agent("jo@a.example", present=False)})
    assert gone.agent("JO@a.example") == "1"
    for present in (True, False):
        two = DirectoryState(
            {}, {}, {number: agent("jo@a.example", present=present) for number in ("1", "2")} | {"3": agent(None)}
        )
        with pytest.raises(BadConfiguration, match="name one by its id: 1, 2"):
            two.agent("jo@a.example")


def test_who_has_left_is_nobody_to_decide_about() -> None:
    state = DirectoryState(
        {"10": team("Support", selected=True), "11": team("Sales", present=False)},
        {("10", "1"): team(None), ("10", "2"): team(None, present=False)},
        {"1": agent("jo@a.example"), "2": agent("bo@a.example", present=False)},
    )
    assert [row[:2] for row in _rows(state, undecided=True)] == [("Support (10)", "jo@a.example (1)"), ("", "jo@a.example (1)")]
    assert len(_rows(state, undecided=False)) == 6
