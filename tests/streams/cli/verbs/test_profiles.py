"""`profiles show|explain|find|fields` on a real broker: who somebody is, why, and which fields there are."""

import asyncio
import json
import secrets
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.ids import derived
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.test_trace import AVRO, TENANCY, records
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import APP, AT, company, contact, listed, posted

LEAD, USER, OTHER = f"{APP}:lead", f"{APP}:user", f"{APP}:other"
PERSON = derived("acme", "person", USER)
FORMER = derived("acme", "person", LEAD)
AGENTS = tuple(
    agent for agent in agents_of(TENANCY, AVRO) if agent.name in ("contacts", "companies", "people", "orgs", "identity")
)


def saved(identifier, number, topic="contact.user.updated", **fields):
    fields = {"created_at": AT, "role": "user", **fields}
    return posted(topic, contact(identifier, updated=(AT + number) * 1000, **fields), number=number, at=AT + number)


def history():
    """A user of 2 events and a lead with the user's address, who are one person; a third contact, and an event nobody can read."""
    return (
        saved("user", 1, name="Ada", email="ada@example.com", created_at=AT - 9, custom_attributes={"plan": "pro", "seats": "4"}),
        saved("lead", 2, role="lead", name="Ada L", email="ADA@example.com", phone="+353861234567"),
        saved("user", 4, name="Ada Example", email="ada@example.com", created_at=AT - 9, custom_attributes={"plan": "pro", "seats": 5}),
        saved("user", 3, name="Late", email="ada@example.com", created_at=AT - 9),
        saved("other", 5, name="Bob", custom_attributes={"plan": "free", "seats": 1, "\x1b[2Jx": 1}, companies=listed("c1")),
        posted("company.created", company("c1", name="Engines", updated=(AT + 6) * 1000), number=6, at=AT + 6),
    )  # fmt: skip


@pytest.fixture(scope="module")
def installation(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    prefix = f"t{secrets.token_hex(4)}."
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    folder: Path = tmp_path_factory.mktemp("profiles")
    installation = Installation(settings, folder, list(TOPICS), {"acme": {APP: "support"}})
    asyncio.run(topics.apply(settings, Naming(prefix=prefix).changelogs(AGENTS), only=[]))
    for body in history():
        installation.append(*records(body))
    installation.append(*records(history()[0]))
    installation.append(TopicRecord("intercom.contacts", USER.encode(), b"no json", [("ce_id", b"bad")]))
    asyncio.run(process(settings, installation))
    return installation


async def process(settings: KafkaSettings, installation: Installation) -> None:
    """Run the agents until the last event of each record has reached its profile."""

    async def done() -> bool:
        people = {value["name"] for value in await published(settings, "people")}
        return people >= {"Ada Example", "Bob"} and len(people) == 2 and len(await published(settings, "orgs")) == 1

    async with running(AGENTS, kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "the agents are ready")
        async with asyncio.timeout(DEADLINE_S):
            while not (await done() and caught_up(work)):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)


async def published(settings: KafkaSettings, topic: str) -> list[dict]:
    return [AVRO.decode(value)[1] for value in (await latest(settings, topic)).values()]


def test_b31_a_person_is_shown_by_id_address_record_and_former_id_with_the_origin_of_each_value(installation: Installation):
    shown = [
        installation.printed("profiles", "show", text) for text in (PERSON, "Ada@Example.com", USER, LEAD, FORMER, PERSON.upper())
    ]
    assert [[value["id"] for value in values] for values in shown] == [[PERSON]] * 6
    text = installation.types("profiles", "show", FORMER).output
    assert f"of which {FORMER} is an alias" in text
    assert "Ada Example" in text
    assert "notif_4" in text


def test_an_organisation_is_shown_by_its_company(installation: Installation):
    (shown,) = installation.printed("profiles", "show", f"{APP}:c1")
    assert (shown["name"], shown["id"]) == ("Engines", derived("acme", "org", f"{APP}:c1"))


def test_explain_says_for_each_value_its_origin_its_rule_and_what_other_records_say(installation: Installation):
    (found,) = installation.printed("profiles", "explain", "ada@example.com")
    reasons = {each["field"]: each for each in found["fields"]}
    assert reasons["name"]["value"] == "Ada Example"
    assert (reasons["name"]["record"], reasons["name"]["event"]) == (USER, "notif_4")
    assert reasons["name"]["reason"] == "the latest of 2 records that have a value"
    ((other,),) = [each["others"] for name, each in reasons.items() if name == "name"]
    assert (other["record"], other["value"], other["note"]) == (LEAD, "Ada L", "older")
    assert reasons["phone"]["reason"] == "the only value that any record has had"
    assert reasons["attributes.seats"]["reason"].startswith("the record's latest value; it has replaced an earlier one")
    assert reasons["attributes.seats"]["value"] == 5
    assert (
        reasons["email_allowed"]["reason"] == "the most restrictive consent of 2 records" if "email_allowed" in reasons else True
    )


def test_explain_lists_all_events_with_what_came_of_them_and_moves_and_refusals(installation: Installation):
    (found,) = installation.printed("profiles", "explain", PERSON)
    events = [each for each in found["history"] if each["topic"] == "intercom.contacts"]
    effects = {each["event"]: each for each in events if "counts once" not in each["effect"]}
    assert {"notif_1", "notif_2", "notif_3", "notif_4", "bad"} == effects.keys()
    assert "name" in effects["notif_4"]["in_force"]
    assert "attributes.seats" in effects["notif_4"]["fields"]
    assert effects["notif_3"]["effect"].startswith("changed nothing")
    assert effects["bad"]["effect"].startswith("refused: ")
    assert [each["event"] for each in events if "counts once" in each["effect"]] == ["notif_1"]
    kinds = {each["kind"] for each in found["history"]}
    assert kinds >= {"event", "refusal", "move", "assignment", "alias"}
    assert any(each["effect"] == f"the id is an alias of {PERSON}" for each in found["history"])
    text = installation.types("profiles", "explain", PERSON).output
    assert "Why each value is what it is" in text
    assert f'not "Ada L" of {LEAD} (older; event notif_2' in text


@pytest.mark.parametrize("verb", ["show", "explain"])
def test_people_read_times_as_dates_and_programs_as_numbers(installation: Installation, verb: str):
    created = "2026-01-10T04:11:25.000Z"
    assert [
        line
        for line in installation.types("profiles", verb, USER).output.splitlines()
        if "created_at" in line and created in line
    ]
    assert str((AT - 9) * 1000) in installation.types("profiles", verb, USER, "--json").output


@pytest.mark.parametrize("verb", ["show", "explain"])
def test_a_name_that_others_chose_commands_no_terminal(installation: Installation, verb: str):
    assert "attributes.\\x1b[2Jx" in installation.types("profiles", verb, f"{APP}:other").output


def test_explain_reads_only_the_partitions_of_the_persons_keys(installation: Installation):
    (found,) = installation.printed("profiles", "explain", PERSON)
    assert found["read"]["intercom.contacts"] == 6  # of the two contacts, and none of the third
    assert {"notif_5"}.isdisjoint(each["event"] for each in found["history"])


def test_find_shows_those_that_meet_all_conditions(installation: Installation):
    assert [value["name"] for value in installation.printed("profiles", "find", "attributes.plan=PRO", "ada")] == ["Ada Example"]
    assert [value["name"] for value in installation.printed("profiles", "find", "attributes.seats=1")] == ["Bob"]
    assert [value["name"] for value in installation.printed("profiles", "find", "engines", "--orgs")] == ["Engines"]
    assert installation.printed("profiles", "find", "name=Nobody") == []
    result = installation.types("profiles", "find", "shoe_size=45")
    assert "There is no field 'shoe_size'" in str(result.exception)


def test_b31_the_catalogue_has_the_fields_seen_with_types_fill_rate_and_drift(installation: Installation):
    fields = {(each["source"], each["field"]): each for each in installation.printed("profiles", "fields")}
    seats = fields["contacts", "attributes.seats"]
    assert (seats["types"], seats["earlier"], seats["drift"]) == ({"number": 2}, ["text"], True)
    assert (seats["records"], seats["filled"], seats["share"]) == (3, 2, 0.6667)
    assert (seats["first_seen"], seats["last_seen"]) == ((AT + 1) * 1000, (AT + 5) * 1000)
    assert not fields["contacts", "name"]["drift"]
    assert fields["companies", "name"]["records"] == 1
    assert "attributes.seats" in installation.types("profiles", "fields").output


def test_b51_previews_of_a_merge_and_of_identity_write_nothing(installation: Installation):
    ends = {
        topic: len(installation.read(topic)) for topic in ("people", "people.changes", "identity.claims", "contact.assignments")
    }
    (found,) = installation.printed("profiles", "preview", "--merge", USER, "--merge", OTHER)
    assert (found["profile"], found["published"], found["kind"]) == (PERSON, True, "person")
    assert found["replaced"] == [derived("acme", "person", OTHER)]
    assert [record["key"] for record in found["records"]] == sorted((LEAD, OTHER, USER))
    reasons = {each["field"]: each for each in found["fields"]}
    assert (reasons["name"]["value"], reasons["name"]["record"]) == ("Bob", OTHER)
    assert {other["value"] for other in reasons["name"]["others"]} == {"Ada Example", "Ada L"}
    text = installation.types("profiles", "preview", "--merge", "ada@example.com", "--merge", OTHER).output
    assert f"{derived('acme', 'person', OTHER)} would be an alias of it" in text
    assert 'not "Ada Example" of' in text
    before = installation.config.read_text()
    installation.config.write_text(before.replace('id = "acme"\n', 'id = "acme"\n[tenants.identity]\nkeys = ["external_id"]\n'))
    try:
        (rules,) = installation.printed("profiles", "preview", "--identity")
        text = installation.types("profiles", "preview", "--identity", "--list", "0").output
    finally:
        installation.config.write_text(before)
    assert (rules["records"], rules["before"], rules["after"], rules["parted"], rules["joined"], rules["moved"]) == (
        3,
        2,
        3,
        1,
        0,
        1,
    )
    assert rules["listed"] == [{"before": [PERSON], "after": [FORMER, PERSON], "records": [LEAD, USER]}]
    assert (
        "3 records of acme are 2 people and would be 3: 0 would be several of today's, 1 of today's would part; 1 records" in text
    )
    assert "and 1 more" in text
    assert {topic: len(installation.read(topic)) for topic in ends} == ends


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Say what to preview"),
        (("--identity", "--merge", USER), "Say what to preview"),
        (("--merge", USER), "A merge needs two profiles"),
        (("--merge", USER, "--merge", LEAD), "A merge needs two profiles"),
        (("--merge", USER, "--merge", f"{APP}:c1"), "Only profiles of one tenant and of one kind"),
        (("--merge", USER, "--merge", "nobody@example.com"), "No person and no organisation"),
    ],
)
def test_a_preview_of_nothing_or_of_what_cannot_be_is_refused(installation: Installation, words: tuple[str, ...], message: str):
    assert message in str(installation.types("profiles", "preview", *words).exception)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nobody@example.com", "No person and no organisation"),
        ("00000000-0000-0000-0000-000000000000", "No person and no organisation"),
        ("not an id", "Name a profile by its id"),
        ("a b@@c", "no e-mail address"),
        ("unknown:7", "No person and no organisation"),
        (f"{APP}:x|y", "Name a profile by its id"),
    ],
)
def test_who_is_not_there_is_said_so_with_what_to_do(installation: Installation, text: str, message: str):
    result = installation.types("profiles", "show", text)
    assert message in str(result.exception)
    assert text not in str(result.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((USER,), "has no erasure key"),
        (("nobody@example.com",), "Nobody has this id or address"),
        ((f"{APP}:c1",), "This is an organisation"),
        (("ada@example.com", "--alone"), "A record alone is named by its key"),
    ],
)
def test_an_erasure_that_cannot_be_made_is_refused_with_what_to_do(
    installation: Installation, words: tuple[str, ...], message: str
):
    result = installation.types("profiles", "erase", *words, "--yes")
    assert message in str(result.exception)
    assert installation.read("contact.erasures") == []


def test_an_erasure_that_is_not_confirmed_is_not_made(installation: Installation):
    config = installation.config.read_text()
    installation.config.write_text(config.replace('id = "acme"\n', f'id = "acme"\n[tenants.erasure]\nkeys = ["{"k" * 32}"]\n'))
    result = installation.types("profiles", "erase", "ada@example.com")
    assert result.exit_code == 1
    assert f"Erase {LEAD}, {USER} of acme, for good?" in result.output
    assert installation.read("contact.erasures") == []


def test_a_contact_nobody_knows_is_erased_by_its_key_and_a_person_no_worker_comes_to_is_said_to_wait(installation: Installation):
    (receipt,) = installation.printed("profiles", "erase", f"{APP}:unknown", "--yes")
    assert (receipt["unknown"], len(receipt["marks"])) == (True, 1)
    result = installation.types("profiles", "erase", "ada@example.com", "--yes", "--wait", "0")
    assert result.exit_code == 1
    assert "no worker has come to it" in result.output
    assert sorted(record.key.decode() for record in installation.read("contact.erasures")) == sorted(
        [LEAD, USER, f"{APP}:unknown"]
    )
    assert "stores not clear before" in installation.types("profiles", "erasures").output
    assert [len(each["marks"]) for each in installation.printed("profiles", "erasures")] == [1, 2]


def test_what_is_held_about_a_person_is_written_to_a_new_file_that_only_its_owner_reads(
    installation: Installation, tmp_path: Path
):
    file = tmp_path / "ada.json"
    result = installation.types("profiles", "export", "ada@example.com", "--to", str(file))
    assert (result.exit_code, file.stat().st_mode & 0o077) == (0, 0)
    stores = {store["store"]: store for store in json.loads(file.read_text())["stores"]}
    assert len(stores["topic intercom.contacts"]["records"]) == 6
    assert stores["table people"]["records"]
    assert "no spool on this host" in stores["spool of each ingress"]["note"]
    again = installation.types("profiles", "export", "ada@example.com", "--to", str(file))
    assert "exists already" in again.output
