"""What tests of the engine may ask for."""

import gc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine import runner
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import open_memory_store
from tests.support.counting_agent import PARTITIONS
from tests.support.engines import RunEngine


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    """Finalize what a file's engines left behind here: in the middle of a later test's `ast.parse`, CPython 3.11 would fail for it."""
    yield
    gc.collect()
    gc.freeze()  # an engine that ends takes back what tests/set_aside.py set aside


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)


@pytest.fixture(params=["memory", "disk"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> RunEngine:
    """Run agents with tables of both kinds; workers of one test share the folder, as those of one host do."""
    stores = {"memory": open_memory_store, "disk": RocksStores(tmp_path, frozenset({"count"}))}
    return partial(runner.running, store_of=stores[request.param])
