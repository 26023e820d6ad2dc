"""The product's agents over a history, in memory: in any order, with repetitions, in batches of any size, several partitions."""

import json
import random

from schemas.cloudevents import Origin
from schemas.profiles import erasure, records
from schemas.profiles.erasure import Erasure, key_id_of, mark_of
from schemas.profiles.identity import RULES, Scope
from schemas.tenancy import App, ErasureSettings, ProfileSettings, RecordSource, Secret, Tenancy, Tenant, Workspace
from tests.support.identity.lagging_pipeline import PARTITIONS, PROFILE_AGENTS, LaggingPipeline
from tests.support.profile_laws.inputs import (
    APPS,
    ERASURE_KEY,
    HASH_KEY,
    SOURCES,
    TENANT,
    Applied,
    Erased,
    Foreign,
    History,
    Input,
    Post,
    Read,
    Ruled,
    Withdrawal,
)

_ACTIVITY_AGENTS = frozenset({"happenings", "activities", "timelines"})
_SECRET = Secret(ERASURE_KEY)
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [
        Tenant(
            id=TENANT,
            workspaces=tuple(Workspace(app_id=app_id, app="support") for app_id in APPS),
            sources=tuple(RecordSource(name=name) for name in SOURCES),
            erasure=ErasureSettings(keys=(_SECRET,)),
            profiles=ProfileSettings(hash_key=Secret(HASH_KEY)),
        )
    ],
)
_NOW = 1_767_225_600_000


def run(history: History, draw: random.Random, *, settled: bool = False) -> LaggingPipeline:
    """Give the history to the agents in its order; return them once nothing waits. They process at random meanwhile, or all after each input."""
    happens = any(isinstance(given, Post) and given.body["topic"] == "event.created" for given in history.inputs)
    agents = LaggingPipeline(TENANCY, draw, only=PROFILE_AGENTS | (_ACTIVITY_AGENTS if happens else frozenset()))
    for kind, rules in history.rules.items():
        _give(agents, Ruled(kind, rules))
    agents.run()
    for given in history.inputs:
        _give(agents, given)
        if settled or draw.random() < 0.4:
            agents.run(None if settled else draw.randrange(8))
    agents.run()
    return agents


def shuffled(history: History, draw: random.Random) -> History:
    """Return the history in another order, some of it twice."""
    inputs = history.inputs + draw.sample(history.inputs, len(history.inputs) // 5)
    draw.shuffle(inputs)
    return history._replace(inputs=inputs)


def _give(agents: LaggingPipeline, given: Input) -> None:
    if isinstance(given, Post):
        agents.post(json.dumps(given.body).encode())
    elif isinstance(given, Applied):
        agents.apply(given.policy, kind=given.kind, version=given.version, tenant=TENANT)
    elif isinstance(given, Ruled):
        agents.append("identity.rules", Scope(TENANT, given.kind).key(), RULES.encode(given.rules))
    elif isinstance(given, Read):
        read = given.reading
        agents._append(read.topic, read.key.encode(), read.value, read.headers(Origin.BACKFILL, _NOW))
    elif isinstance(given, Foreign):
        value = given.value | {
            name: {k: json.dumps(v) for k, v in given.value[name].items()} for name in ("fields", "attributes")
        }
        agents._append(records.TOPICS[given.kind], given.key.encode(), agents.avro.encode(records.SCHEMA, value), ())
    elif isinstance(given, Withdrawal):
        headers = _headers(
            ce_id=f"withdrawal {given.number}", ce_type=records.WITHDRAWN, ce_subject=given.source, ce_origin="operator"
        )
        for topic in records.TOPICS.values():
            for partition in range(PARTITIONS):
                agents._append(topic, None, b"", headers, partition)
    elif isinstance(given, Erased):
        topic = erasure.TOPIC if given.key.partition(":")[0] in APPS else erasure.FOREIGN_TOPIC
        mark = Erasure(request="e1", tenant=TENANT, mark=mark_of(_SECRET, given.key), key=key_id_of(_SECRET), time=_NOW)
        agents._append(topic, given.key.encode(), erasure.encode(agents.avro, mark), _headers(ce_id=f"erasure of {given.key}"))


def _headers(**given: str) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in given.items()]
