"""Records of other systems that can never be understood: each is refused alone, with what to do, and quotes nothing of its content."""

import json

import pytest

from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from schemas.profiles.records import MOST_BYTES
from streams.agents.foreign.agent import org_records, person_records
from streams.engine.agent import Batch
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore
from tests.support.company import AVRO
from tests.support.identity.foreign_records import SENT, foreign, foreign_json
from tests.support.intercom_bodies import AT
from tests.support.tenancy import WITH_SOURCES

SECRET = "Ada-Lovelace"


def value(record, **changes):
    return record._replace(value=json.dumps(json.loads(record.value) | changes).encode())


HOSTILE = {
    "a source that nobody has": (foreign(source="unknown"), "add it under"),
    "a source of a workspace's name": (foreign(source="abc12345"), "add it under"),
    "no source": (foreign(source="", key=":1"), "add it under"),
    "an id with a bar": (foreign("a|b"), "no `|`"),
    "an id of blanks": (foreign("  "), "printable characters"),
    "no id": (foreign("", key="crm:"), "printable characters"),
    "an id of 10,000 characters": (foreign("x" * 10_000), "1 to 256"),
    "an id with a line break": (foreign("a\nb"), "printable"),
    "the key of another record": (foreign(key="crm:2"), "`source:id`"),
    "the key of another tenant's source": (foreign(key="gcrm:1"), "`source:id`"),
    "a key that is no UTF-8": (foreign()._replace(key=b"\xff"), "`source:id`"),
    "a time in seconds": (foreign(updated=AT), "milliseconds"),
    "a time in microseconds": (foreign(updated=AT * 10**6), "milliseconds"),
    "a time of next year": (foreign(updated=SENT + 400 * 86_400_000), "the clock of the system"),
    "the largest time there is": (foreign(updated=(1 << 63) - 1), "milliseconds"),
    "a negative time": (foreign(updated=-1), "milliseconds"),
    "a creation beyond the year 9999": (foreign(created_at=1 << 60), "created_at"),
    "a creation in seconds": (foreign(created_at=AT), "created_at is in milliseconds .* look at the unit"),
    "a value that is no JSON": (foreign()._replace(value=AVRO.encode("record", {
        "source": "crm", "id": "1", "updated_at": AT * 1000, "created_at": None, "deleted": False, "fields": {"name": SECRET},
        "attributes": {}, "orgs": None,
    })), "a text is in quotes"),
    "a name of a field with 10,000 characters": (foreign(fields={"x" * 10_000: 1}), "1 to 200"),
    "an empty name": (foreign(attributes={"": 1}), "1 to 200"),
    "a name with a control character": (foreign(attributes={"a\x00b": 1}), "printable"),
    "an organisation of another tenant": (foreign(orgs=["gcrm:1"]), "same tenant"),
    "an organisation without source": (foreign(orgs=["1"]), "same tenant"),
    "an organisation with a bar": (foreign(orgs=["crm:a|b"]), "same tenant"),
    "an organisation without id": (foreign(orgs=["crm:"]), "same tenant"),
    "20,000 organisations": (foreign_json(orgs=[f"crm:{at}" for at in range(20_000)]), "at most 10000"),
    "1 MB of attributes": (foreign(attributes={f"a{at}": "x" * 1000 for at in range(1000)}), f"at most {MOST_BYTES}"),
    "no value": (foreign()._replace(value=None), "with `deleted`"),
    "an empty value": (foreign()._replace(value=b""), "with `deleted`"),
    "text": (foreign()._replace(value=SECRET.encode()), "Confluent framing"),
    "another schema": (foreign()._replace(value=AVRO.encode("membership", {
        "org": "o", "record": "r", "person": "p", "company": "c", "since": 5, "event": "e",
    })), "no record of another system"),
    "JSON that is no object": (foreign_json()._replace(value=b"[1]"), "Expected `object`, got `array`"),
    "JSON cut off": (foreign_json()._replace(value=b'{"source":"crm"'), "no JSON"),
    "JSON nested without end": (foreign_json()._replace(value=b'{"source":' + b"[" * 100_000), "schema|JSON"),
    "JSON with a field too many": (value(foreign_json(), nickname=SECRET), "unknown field `nickname`"),
    "JSON with a time as text": (value(foreign_json(), updated_at="today"), "updated_at"),
    "JSON without time": (value(foreign_json(), updated_at=None), "updated_at"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("make", [person_records, org_records])
def test_what_can_never_be_understood_is_one_dead_letter_that_says_why_and_quotes_nothing(make, name):
    record, reason = HOSTILE[name]
    agent = make(WITH_SOURCES, AVRO)
    good = foreign("good", fields={"name": "Bo"})
    result = run_step(agent, Batch(agent.sources[0], 0, [good, record]), MemoryStore())
    assert result.dead == [False, True]
    with pytest.raises(InvalidRecord, match=reason) as raised:
        raise InvalidRecord(result.last_error)
    assert SECRET not in str(raised.value)
    assert len(result.last_error) < 400


def test_a_record_as_large_as_allowed_passes_also_when_all_of_it_changes_twice():
    agent, store = person_records(WITH_SOURCES, AVRO), MemoryStore()
    for at in range(3):
        record = foreign(attributes={f"a{number}": f"{at}" + "x" * 980 for number in range(490)}, updated=(AT + at) * 1000)
        result = run_step(agent, Batch("person.records", 0, [record]), store)
        assert (result.dead, result.last_error) == ([False], "")
        store.apply(result.changes())


@pytest.mark.parametrize("text", ["\ud800", "\\ud800"])
def test_half_a_surrogate_pair_is_refused_or_kept_and_breaks_nothing(text):
    record = RecordValue(
        b"crm:1",
        b'{"source":"crm","id":"1","updated_at":%d,"attributes":{"a":"%s"}}' % (AT * 1000, text.encode("utf-8", "surrogatepass")),
        (),
        timestamp=SENT,
    )
    agent = person_records(WITH_SOURCES, AVRO)
    result = run_step(agent, Batch("person.records", 0, [record]), MemoryStore())
    assert len(result.dead) == 1
