"""Quix Streams, exactly once: two stateful functions over its RocksDB stores with changelogs, in one application."""

import importlib
from typing import Any

from bench.profiles.systems.by_hand import Row, contact, person
from bench.profiles.systems.job import COMPRESSION, Job


def run(job: Job) -> None:
    """Work until ended."""
    quix: Any = importlib.import_module("quixstreams")
    app = quix.Application(
        broker_address=job.bootstrap, consumer_group=f"{job.prefix}quix", auto_offset_reset="earliest", state_dir=job.directory,
        loglevel="WARNING", processing_guarantee="exactly-once", commit_interval=1.0,
        consumer_extra_config={"fetch.wait.max.ms": 50}, producer_extra_config={"compression.type": COMPRESSION},
    )  # fmt: skip
    contacts, patches, people, changes = (
        app.topic(name, value_deserializer="json", value_serializer="json", key_deserializer="bytes", key_serializer="bytes")
        for name in (job.contacts, job.patches, job.people, job.changes)
    )
    app.dataframe(contacts).apply(_to_patch, stateful=True, metadata=True).to_topic(patches)
    persons = app.dataframe(patches).apply(_to_person, stateful=True)
    persons.apply(lambda pair: pair[0]).to_topic(people)
    persons.apply(lambda pair: pair[1]).to_topic(changes)
    app.run()


def _to_patch(post: dict[str, Any], key: bytes, timestamp: int, headers: Any, state: Any) -> Row:
    row = contact(state.get("row"), key.decode(), post)
    state.set("row", row)
    return row


def _to_person(row: Row, state: Any) -> tuple[Row, Row]:
    after, change = person(state.get("row"), row)
    state.set("row", after)
    return after, change
