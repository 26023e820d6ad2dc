"""What releases wrote is read for ever, and nothing changes its form without a number of its own."""

import json
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from schemas.access import facts
from schemas.errors import MustStop
from schemas.message import RecordValue
from schemas.versioned import ENCODING
from streams.agents import source_records as sources
from streams.agents.source_records import PATCH
from streams.core.access.state.rows import AnyRow
from streams.engine.agent import Batch
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore
from streams.ops.decode import INTERNAL, codec_at
from streams.worker.main import agents_of
from tests.support import samples
from tests.support.company import AVRO, settings
from tests.support.intercom_bodies import ADA, APP, ENGINES, company, contact, posted
from tests.support.samples import SAMPLES, form, history
from tests.support.tenancy import TENANCY

RECORDED = {int(file.stem): json.loads(file.read_text()) for file in (Path(__file__).parent / "encodings").glob("*.json")}
VALUES = [(encoding, name, b64decode(data)) for encoding, found in RECORDED.items() for name, data in found["values"].items()]
AGENTS = agents_of(TENANCY, AVRO)


@pytest.mark.parametrize(("encoding", "name", "data"), VALUES, ids=[f"{name} in {encoding}" for encoding, name, _ in VALUES])
def test_bytes_that_a_release_wrote_are_read_and_written_as_then(encoding, name, data):
    codec, sample = SAMPLES[name]
    value = codec.decode(data)
    assert codec.encode(value, encoding) == data
    if codec.since == encoding:
        assert value == sample


@pytest.mark.parametrize("name", SAMPLES)
def test_a_type_that_changes_takes_a_number_of_its_own(name):
    for codec in history(SAMPLES[name][0]):
        assert form(codec.kind) == RECORDED[codec.since]["forms"][name], (
            f"{name} looks other than in encoding {codec.since}. If that is released: keep the struct of then, as `PreviousVersion` of the new one, "
            "and raise ENCODING. Then, and if it is not released yet, record it: see tests/support/samples.py"
        )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_newer_release_stops_the_process_and_is_named(name):
    with pytest.raises(MustStop, match="a newer release wrote it"):
        SAMPLES[name][0].decode(bytes([ENCODING + 1, 0x90]))


def test_every_table_and_internal_topic_has_its_samples():
    assert {type(row) for row in samples.ACCESS} == set(get_args(AnyRow))
    codecs = {id(agent.codec) for agent in AGENTS} | {id(codec_at(place)) for place in INTERNAL.values()}
    assert codecs == {id(codec) for codec, _ in SAMPLES.values()}


def test_the_newest_encoding_is_one_that_some_type_changed_with():
    assert {codec.since for codec, _ in SAMPLES.values()} <= RECORDED.keys() == set(range(1, ENCODING + 1))
    assert max(codec.since for codec, _ in SAMPLES.values()) == ENCODING


def of_a_newer_release(*_):
    return bytes([ENCODING + 1, 0x90])


UNDERSTOOD = {
    "contacts": RecordValue(f"{APP}:{ADA}".encode(), posted("contact.user.created", contact(name="Ada"))),
    "companies": RecordValue(f"{APP}:{ENGINES}".encode(), posted("company.created", company(name="Engines"))),
    "people": RecordValue(b"profile", PATCH.encode(samples.PATCH)),
    "orgs": RecordValue(b"profile", PATCH.encode(samples.PATCH)),
    "admins": RecordValue(APP.encode(), posted("admin.logged_in", {"type": "admin", "id": 7, "email": "jo@acme.example"})),
    "access": RecordValue(b"acme", facts.encode(AVRO, settings())),
}


@pytest.mark.parametrize("agent", AGENTS, ids=[agent.name for agent in AGENTS])
def test_a_record_that_meets_a_row_of_a_newer_release_is_no_dead_letter(agent, monkeypatch):
    batch = Batch(agent.sources[0], 0, [UNDERSTOOD[agent.name]])
    assert run_step(agent, batch, MemoryStore()).dead == [False]
    monkeypatch.setattr(MemoryStore, "get", of_a_newer_release)
    with pytest.raises(MustStop, match="a newer release wrote it"):
        run_step(agent, batch, MemoryStore())


@pytest.mark.parametrize("agent", [agent for agent in AGENTS if agent.name in ("people", "orgs")], ids=lambda agent: agent.name)
def test_a_patch_of_a_newer_release_is_no_dead_letter(agent):
    with pytest.raises(MustStop, match="a newer release wrote it"):
        run_step(agent, Batch(agent.sources[0], 0, [RecordValue(b"profile", of_a_newer_release())]), MemoryStore())


@pytest.mark.parametrize("name", ["contacts", "companies"])
def test_patches_are_written_in_the_encoding_of_their_partition(name, monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "PATCH", SimpleNamespace(encode=lambda _, encoding: asked.append(encoding) or b""))
    agent = next(agent for agent in AGENTS if agent.name == name)
    run_step(agent, Batch(agent.sources[0], 0, [UNDERSTOOD[name]]), MemoryStore(), 7)
    assert asked == [7]
