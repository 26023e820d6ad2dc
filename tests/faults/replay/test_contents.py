"""The comparison behind the campaign finds what a replay must not do."""

from collections import Counter

import pytest

from tests.faults.replay.contents import PUBLIC, Contents, differences, repeated

BEFORE = Contents(
    {"contacts": {(0, b"app:1"): b"row 1", (1, b"app:2"): b"row 2"}},
    {"people.changes": {b"p1": Counter(["e1"]), b"p2": Counter(["e2", "e3"])}, "people": {b"p1": Counter(["e1"])}},
)


def after(rows: dict | None = None, changes: dict | None = None) -> Contents:
    """Return what was there before, with these rows and events besides or instead; a company that posts meanwhile adds its own."""
    return Contents(
        {"contacts": {**BEFORE.rows["contacts"], (0, b"live:7"): b"row 7", **(rows or {})}},
        {**BEFORE.events, "people.changes": {**BEFORE.events["people.changes"], b"p7": Counter(["e7"]), **(changes or {})}},
    )


def test_what_another_company_adds_is_no_difference() -> None:
    assert differences(BEFORE, after()) == []
    assert repeated(after()) == []


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (after(rows={(0, b"app:1"): b"row 1 with another time"}), "1 of 2 rows are not the same bytes"),
        (after(rows={(0, b"app:1"): None}), "1 of 2 rows are not the same bytes"),
        (after(changes={b"p2": Counter(["e2", "e3", "e4"])}), "events about 1 of 2 keys were published"),
        (after(changes={b"p2": Counter(["e2", "e3", "e3"])}), "events about 1 of 2 keys were published"),
        (after(changes={b"p2": Counter(["e2"])}), "events about 1 of 2 keys were published"),
    ],
)
def test_a_changed_row_and_an_event_more_or_less_are_found(found: Contents, text: str) -> None:
    (difference,) = differences(BEFORE, found)
    assert text in difference


def test_an_id_that_comes_twice_is_found_under_whatever_key() -> None:
    (wrong,) = repeated(after(changes={b"p8": Counter(["e7"])}))
    assert "1 ids came twice, such as e7" in wrong


def test_the_public_topics_of_profiles_activities_and_the_directory_are_compared() -> None:
    assert {
        "people",
        "people.changes",
        "people.aliases",
        "orgs",
        "memberships",
        "activities",
        "people.engagement",
        "agents",
    } <= set(PUBLIC)
