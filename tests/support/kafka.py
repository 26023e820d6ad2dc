"""A real Kafka, Redis and schema registry for tests: the ones the environment names, else a stack of our own.

Nothing starts before the first test that asks, and what was started ends with the run, however it ends.
"""

import secrets
from collections.abc import Iterator

import pytest

from bench.cluster import Cluster
from connectors.local import Addresses, LocalStack, configured_addresses, temporary_stack
from tests.patience import DEADLINE_S
from tests.side_by_side import shared_stack


@pytest.fixture(scope="session")
def own_stack(request: pytest.FixtureRequest) -> Iterator[LocalStack]:
    """One broker and a Redis for all processes of the run, gone with it."""
    shared = shared_stack(request.config)
    if shared is not None:
        yield shared
        return
    with temporary_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """Where the cluster of this run answers."""
    named = configured_addresses()
    if named is not None:
        return named
    stack: LocalStack = request.getfixturevalue("own_stack")
    return stack.addresses


@pytest.fixture(scope="session")
def kafka(addresses: Addresses) -> str:
    """Bootstrap servers of a real Kafka that does not create topics by itself."""
    return addresses.kafka


@pytest.fixture(scope="session")
def redis_url(addresses: Addresses) -> str:
    """URL of a real Redis; other tests use it at the same time, so keys need the test's prefix."""
    return addresses.redis


@pytest.fixture(scope="session")
def registry_url(request: pytest.FixtureRequest, addresses: Addresses) -> str:
    """URL of a real schema registry; subjects need the test's prefix."""
    if addresses.registry:
        return addresses.registry
    stack: LocalStack = request.getfixturevalue("own_stack")
    url = stack.up(registry=True).registry
    assert url is not None
    return url


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """A topic prefix nobody else has, so that tests share one broker and still see only their own records.

    Its topics end with the test: a broker has files open for every partition, and a machine allows so many.
    """
    own = f"t{secrets.token_hex(4)}."
    yield own
    if "kafka" in request.fixturenames:
        Cluster(request.getfixturevalue("kafka"), own).clear(DEADLINE_S)
