"""What names a person in posts about others: whole texts, so that nobody is given what is held about somebody else."""

import json

import pytest

from schemas.codec import Avro
from streams.ops.profiles.mentions import Mentions
from streams.ops.profiles.own_values import OwnValues

LONG, SHORT = "65f0c0ffee00000000000001", "9"
OWN = OwnValues(
    emails=frozenset({"Ada.L@Example.com", "ada.l@example.com", "jürgen@example.com"}),
    phones=frozenset({"+353861234567"}),
    external_ids=frozenset({"7", "ü|1"}),
)
MENTIONS = Mentions(
    contacts=[f"abc12345:{LONG}", f"abc12345:{SHORT}"],
    records=[f"abc12345:{LONG}", f"abc12345:{SHORT}", "crm:7"],
    profiles=["23b2edb2-0fb7-57c0-970d-e6a70878a453"],
    own=OWN,
)


@pytest.mark.parametrize(
    "value",
    [
        {"id": LONG},
        {"url": f"https://api.intercom.io/contacts/{LONG}/tags"},
        {"author": {"type": "user", "id": SHORT}},
        {"data": json.dumps({"id": SHORT, "external_id": "x"})},
        {"body": "Write to ada.l@EXAMPLE.com."},
        {"email": "ADA.L@example.com"},
        {"email": "jürgen@example.com"},
        {"body": "<+353861234567>"},
        {"external_id": "7"},
        {"user_id": "7"},
        {"external_id": 7},
        {"data": json.dumps({"external_id": "7"})},
        {"external_id": "ü|1"},
        {"profile": "23b2edb2-0fb7-57c0-970d-e6a70878a453"},
    ],
    ids=str,
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_post_that_names_the_person_does(value: dict[str, object], ascii_only: bool) -> None:
    assert MENTIONS.are_in(json.dumps(value, ensure_ascii=ascii_only).encode())


@pytest.mark.parametrize(
    "value",
    [
        {"created_at": 1768018297, "size": 9, "plan": "plan 9"},
        {"id": "99"},
        {"id": f"{LONG}2"},
        {"id": "7", "tags": ["7"]},
        {"external_id": "77"},
        {"external_id": 77},
        {"email": "lada.l@example.com"},
        {"email": "grace.ada.l@example.com"},
        {"email": "ada.l@example.com.au"},
        {"email": "ada.l@example.community"},
        {"email": "news+ada.l@example.com"},
        {"phone": "+3538612345678"},
        {"phone": "0"},
    ],
    ids=str,
)
def test_a_post_about_somebody_else_does_not(value: dict[str, object]) -> None:
    assert not MENTIONS.are_in(json.dumps(value).encode())


def test_rows_and_published_values_name_a_contact_behind_the_texts_length() -> None:
    avro = Avro.local()

    def membership(record: str) -> bytes:
        row = {"org": "o", "record": record, "person": "p", "company": "c", "since": 5, "event": "e"}
        return avro.encode("membership", row)

    assert [MENTIONS.are_in(membership(record)) for record in ("crm:7", "crm:77", "xcrm:7", f"contact:{SHORT}")] == [
        True, False, False, True,
    ]  # fmt: skip


def test_a_person_without_any_value_of_their_own_is_named_by_ids_alone() -> None:
    mentions = Mentions(contacts=[], records=["crm:7"], profiles=[], own=OwnValues())
    assert not mentions.are_in(b'{"external_id":"","email":"","phone":""}')
