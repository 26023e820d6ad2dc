import json
from base64 import b64decode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Avro
from schemas.profiles.checkpoints import CHECKPOINT, CheckpointMessage
from schemas.profiles.registers import PATCH, Assignment, EarlierState, Patch, PatchCause, SourceRecordRow
from schemas.profiles.version import Version
from schemas.tenancy import Tenancy
from schemas.topics import TOPICS, Encoding
from streams.agents.contacts import contacts
from streams.agents.topology import agents_of
from streams.core.records.packing import encode
from streams.core.records.registers import field_registers
from streams.engine.naming import Naming
from streams.engine.tables import commit_state
from streams.engine.tables.commit_state import CommitState
from streams.ops.decode import decoder_of, to_plain, verbatim

AVRO = Avro.local()
AGENTS = agents_of(Tenancy.of((), ()), AVRO)
INTERNAL = [topic.name for topic in TOPICS.values() if topic.codec]
MEMBERSHIP = {"org": "o1", "record": "abc12345:1", "person": "p1", "company": "abc12345:7", "since": 5, "event": "e0"}


def decoded(topic: str, value: bytes, key: bytes = b"k"):
    return decoder_of(topic, AVRO, AGENTS, Naming())(key, value)


def plain(value: object) -> object:
    return json.loads(msgspec.json.encode(value))


def test_a_received_body_is_shown_as_json_and_byte_for_byte():
    shown = decoded("intercom.contacts", b'{"a": 1,\n "b": [2]}')
    assert plain(shown.value) == {"a": 1, "b": [2]}
    assert b64decode(shown.bytes) == b'{"a": 1,\n "b": [2]}'


@pytest.mark.parametrize("topic", ["person.records", "org.records"])
@pytest.mark.parametrize("before", [b"", b"\r\n", b"\xef\xbb\xbf"])
def test_a_record_of_another_system_that_is_json_is_shown_as_json(topic, before):
    shown = decoded(topic, before + b'{"source": "crm"}')
    assert (plain(shown.value), b64decode(shown.bytes), shown.error) == ({"source": "crm"}, before + b'{"source": "crm"}', None)
    assert "no JSON" in decoded(topic, b"nonsense").error


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"{", b"nonsense", b"NaN", b"[" * 100_000, b"\xef\xbb\xbf{}", b'"\xff"'])
def test_a_body_that_is_no_json_is_shown_as_base64(body):
    shown = decoded("intercom.other", body)
    assert b64decode(plain(shown.value)) == body


def test_numbers_repeated_keys_and_spelling_stay_as_sent():
    assert bytes(verbatim(b'{"a":1e400,\r\n"a":123456789012345678901234567890.10}')) == (
        b'{"a":1e400,  "a":123456789012345678901234567890.10}'
    )


@given(st.text())
def test_every_text_in_json_stays_the_same_on_one_line(text):
    shown = verbatim(json.dumps({"x": text}, indent=2, ensure_ascii=True).encode())
    assert b"\n" not in bytes(shown)
    assert json.loads(bytes(shown)) == {"x": text}


def test_avro_is_shown_with_its_schema():
    shown = decoded("memberships", AVRO.encode("membership", MEMBERSHIP))
    assert shown.value == MEMBERSHIP
    assert shown.schema.startswith("membership (")


@pytest.mark.parametrize(("value", "why"), [(b"\x00\x00\x00\x00\x4d\x02", "schema id 77"), (b"{}", "framing"), (b"", "framing")])
def test_avro_that_cannot_be_read_is_shown_with_the_reason(value, why):
    shown = decoded("people", value)
    assert why in shown.error
    assert b64decode(shown.bytes) == value


def test_json_that_is_none_is_shown_with_the_reason():
    assert decoded("access.violations.json", b"{").error == "the value is not JSON"


def test_each_internal_topic_that_an_agent_reads_can_be_shown():
    read = {source for agent in AGENTS for source in agent.sources if TOPICS[source].encoding is Encoding.INTERNAL}
    assert read <= {*INTERNAL, "contact.wakes"}
    assert decoded("contact.wakes", b"").error is None  # the broker's time is all that they say


@pytest.mark.parametrize("topic", INTERNAL)
def test_an_internal_value_that_cannot_be_read_is_shown_with_the_reason(topic):
    assert decoded(topic, b"\x01\xc1").error
    assert "newer release" in decoded(topic, b"\x1e\xc0").error


def test_a_changelog_shows_where_its_table_stands():
    shown = decoded(Naming().changelog("contacts"), commit_state.encode(CommitState({"intercom.contacts": 7})), commit_state.KEY)
    assert shown.value == {"positions": {"intercom.contacts": 7}, "pending_work": [], "encoding": 1}


def test_a_changelog_that_cannot_be_read_is_shown_with_the_reason():
    assert decoded(Naming().changelog(contacts(Tenancy.of((), ()), AVRO).name), b"\x01\xc1").error


def test_a_topic_of_nobody_is_shown_as_it_is():
    assert plain(decoded("somebody.elses", b'{"a":1}').value) == {"a": 1}


def test_structs_are_shown_by_their_names():
    assert to_plain((CommitState({"a": 1}, (b"\x00",)),)) == [{"positions": {"a": 1}, "pending_work": ["AA=="], "encoding": 1}]


def test_a_checkpoint_among_posts_is_shown_decoded():
    registers = field_registers(Version(7, 0, 0, 7, "notif_1"), {"name": "Ada"})
    data = CHECKPOINT.encode(CheckpointMessage(encode(registers)))
    for topic in ("intercom.contacts", "person.records"):
        decode = decoder_of(topic, Avro.local(), (), Naming())
        decoded = decode(b"abc12345:1", data)
        assert decoded.error is None
        assert decoded.value["registers"]["now"] == [[0, {"name": "Ada"}]]
    assert decoder_of("intercom.contacts", Avro.local(), (), Naming())(b"k", b'{"a": 1}').error is None


def test_what_a_patch_has_of_earlier_events_is_shown_decoded():
    registers = encode(field_registers(Version(7, 0, 0, 7, "notif_1"), {"name": "Ada"}))
    row, cause = SourceRecordRow(registers, Assignment(0, "p")), PatchCause("notif_2", 7000)
    patch = Patch("acme", "abc12345:1", row, cause, None, (EarlierState(registers, cause, None),))
    decoded = decoder_of("person.patches", Avro.local(), (), Naming())(b"p", PATCH.encode(patch))
    assert decoded.value["earlier"][0]["registers"]["now"] == [[0, {"name": "Ada"}]]
