"""`dead-letters` on a real broker, as an operator calls it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from click.testing import Result

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.codec import Avro
from schemas.dead_letters import dead_letter, shortened
from schemas.errors import Unavailable
from schemas.message import RecordValue
from schemas.operations import DROPPED, REDRIVEN
from streams.ops.dead_letters import resolve as resolving
from streams.ops.dead_letters.resolve import Resolution, resolve
from tests.streams.cli.installation import Installation

AVRO = Avro.local()
CONTACTS, FACTS = "intercom.contacts", "access.facts"


class Letters(Installation):
    """An installation with dead letters."""

    def add(self, *reasons: str, topic: str = CONTACTS, agent: str = "contacts", at: int = 1_000, cut: bool = False) -> None:
        """Append a letter for each reason, its record numbered by its place."""
        letters = []
        for number, reason in enumerate(reasons):
            value = f"body {number} {reason}".encode() * (10_000 if cut else 1)
            record = RecordValue(f"abc:{number}".encode(), value, [("ce_id", b"e%d" % number)], number, at + number)
            letter = dead_letter(topic, 0, record, reason, agent)
            letter = shortened(letter) if cut else letter
            letters.append(TopicRecord("dead.letters", letter.key, letter.value, letter.headers))
        self.append(*letters)

    def types(self, *words: str) -> Result:
        return super().types("dead-letters", *words)


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Letters:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    return Letters(settings, tmp_path, ["dead.letters", "operations", CONTACTS])


def test_letters_are_grouped_by_cause_and_not_by_what_varies_in_their_reasons(installation: Letters):
    installation.add("item 'a' at 3 is no contact", "item 'b' at 77 is no contact", "the body is cut off")
    installation.add("item 'a' at 3 is no contact", agent="companies")
    rows = installation.printed("list")
    assert Counter((row["agent"], row["letters"], row["pending"]) for row in rows) == {
        ("contacts", 2, 2): 1,
        ("contacts", 1, 1): 1,
        ("companies", 1, 1): 1,
    }
    assert [row["letters"] for row in installation.printed("list", "--agent", "companies")] == [1]
    assert "waiting" in installation.types("list").output


def test_no_letters_are_said_to_be_none(installation: Letters):
    assert installation.types("list").output == "no dead letters\n"
    assert installation.types("redrive", "--all", "--dry-run").output == "nothing is left to do\n"


def test_a_letter_is_shown_with_its_record_and_its_reason(installation: Letters):
    installation.add("the body is cut off")
    (row,) = installation.printed("list")
    shown = installation.types("show", row["example"])
    assert "the body is cut off" in shown.output
    assert "body 0" in shown.output
    missing = installation.types("show", "2:99")
    assert (missing.exit_code, "there is no dead letter 2:99" in missing.output) == (1, True)


def test_a_redriven_record_is_the_same_event_and_is_sent_once_however_often_it_is_asked_for(installation: Letters):
    installation.add("the body is cut off", "the body is cut off")
    (row,) = installation.printed("list")
    assert installation.printed("redrive", "--cause", row["cause"]) == [{"done": 2, "before": 0, "cut": 0, "unknown_topic": 0}]
    assert installation.printed("redrive", "--all") == [{"done": 0, "before": 2, "cut": 0, "unknown_topic": 0}]
    sent = installation.read(CONTACTS)
    assert sorted((record.key, record.value, list(record.headers)) for record in sent) == [
        (b"abc:0", b"body 0 the body is cut off", [("ce_id", b"e0")]),
        (b"abc:1", b"body 1 the body is cut off", [("ce_id", b"e1")]),
    ]
    (row,) = installation.printed("list")
    assert (row["pending"], row["redriven"]) == (0, 2)
    assert [operation.kind for operation in installation.operations()] == [REDRIVEN] * 2


def test_a_record_that_is_rejected_again_is_counted_as_come_back(installation: Letters):
    installation.add("the body is cut off")
    installation.printed("redrive", "--all")
    installation.add("the body is cut off")
    (row,) = installation.printed("list")
    assert (row["letters"], row["pending"], row["again"]) == (2, 1, 1)


def test_a_few_are_tried_first_and_a_dry_run_sends_none(installation: Letters):
    installation.add(*["the body is cut off"] * 5)
    (row,) = installation.printed("redrive", "--all", "--dry-run")
    assert (row["pending"], installation.read(CONTACTS)) == (5, [])
    assert installation.printed("redrive", "--all", "--limit", "2")[0]["done"] == 2
    assert len(installation.read(CONTACTS)) == 2


def test_letters_are_chosen_by_id_and_by_the_time_of_their_rejection(installation: Letters):
    installation.add("the body is cut off", "the body is cut off")
    (row,) = installation.printed("list")
    assert installation.printed("redrive", row["example"])[0]["done"] == 1
    assert installation.printed("redrive", "--until", "2020-01-01T00:00:00Z")[0]["done"] == 0
    assert installation.printed("redrive", "--since", "2020-01-01T00:00:00Z")[0]["done"] == 1


def test_a_letter_is_dropped_with_who_and_why_and_is_not_redriven_any_more(installation: Letters):
    installation.add("the body is cut off")
    assert installation.printed("drop", "--all", "--reason", "posts of a load test")[0]["done"] == 1
    (operation,) = installation.operations()
    assert (operation.kind, operation.reason) == (DROPPED, "posts of a load test")
    assert installation.printed("redrive", "--all")[0] == {"done": 0, "before": 1, "cut": 0, "unknown_topic": 0}
    assert installation.read(CONTACTS) == []


def test_what_was_cut_or_has_no_topic_here_is_counted_and_left(installation: Letters):
    installation.add("too large", cut=True)
    installation.add("no fact", topic="another.topic")
    installation.add("no fact", topic=FACTS)  # a topic of the table that this cluster lacks
    counts = installation.printed("redrive", "--all")[0]
    assert counts == {"done": 0, "before": 0, "cut": 1, "unknown_topic": 2}
    assert "cannot be sent again" in installation.types("redrive", "--all").output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["redrive"], "say which"),
        (["drop", "--reason", "x"], "say which"),
        (["drop", "--all"], "--reason"),
        (["drop", "--all", "--reason", " "], "say why"),
        (["redrive", "seven"], "no dead letter's id"),
        (["redrive", "--since", "yesterday"], "no time with its zone"),
    ],
)
def test_a_command_that_says_too_little_does_nothing(installation: Letters, words: list[str], text: str):
    installation.add("the body is cut off")
    result = installation.types(*words)
    assert (result.exit_code, text in result.output) == (2, True)
    assert installation.operations() == []


def test_a_redrive_that_ends_half_way_is_continued_by_the_next(installation: Letters, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resolving, "_CHUNK", 2)
    installation.add(*["the body is cut off"] * 5)
    resolution = Resolution(kind=REDRIVEN, time=0)

    def die(done: int) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        asyncio.run(resolve(installation.kafka, AVRO, lambda _: True, resolution, die))
    assert len(installation.read(CONTACTS)) == 2
    counts = asyncio.run(resolve(installation.kafka, AVRO, lambda _: True, resolution, lambda _: None))
    assert (counts.done, counts.before) == (3, 2)
    assert Counter(record.key for record in installation.read(CONTACTS)).most_common(1)[0][1] == 1


def test_two_redrives_at_once_send_each_record_once(installation: Letters):
    installation.add(*["the body is cut off"] * 20)

    async def both() -> list:
        one = (resolve(installation.kafka, AVRO, lambda _: True, Resolution(kind=REDRIVEN, time=0), lambda _: None) for _ in "ab")
        return await asyncio.gather(*one, return_exceptions=True)

    results = asyncio.run(both())
    assert all(isinstance(result, Unavailable) or result.done in (0, 20) for result in results), results
    assert len(installation.read(CONTACTS)) == 20
    assert len(installation.operations()) == 20
