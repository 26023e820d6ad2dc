"""Which ports the services of a stack get, and when they keep them."""

import socket
from collections.abc import Iterator

import msgspec
import pytest

from connectors.local import stack_state
from connectors.local.allocation import with_ports
from connectors.local.ports import HOST, free
from connectors.local.stack_state import StackState
from schemas.errors import Unavailable


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def fresh(brokers: int = 1) -> StackState:
    return stack_state.new(brokers, registry=True)


def test_every_service_gets_a_free_port_of_its_own() -> None:
    known = with_ports(fresh(3), list(fresh(3).names()), None)
    assert set(known.ports) == {
        "redis", "registry", "kafka-1", "kafka-2", "kafka-3", "controller-1", "controller-2", "controller-3",
    }  # fmt: skip
    assert len(set(known.ports.values())) == 8


def test_a_stopped_stack_keeps_its_ports_while_they_are_free() -> None:
    known = with_ports(fresh(), list(fresh().names()), None)
    assert with_ports(known, list(known.names()), None) == known


def test_a_port_taken_meanwhile_is_replaced(taken: int) -> None:
    known = with_ports(fresh(), list(fresh().names()), None)
    known = msgspec.structs.replace(known, ports={**known.ports, "redis": taken})
    again = with_ports(known, list(known.names()), None)
    assert again.ports["redis"] != taken
    assert again.ports["kafka-1"] == known.ports["kafka-1"]


def test_a_running_service_keeps_its_port_though_it_is_taken_by_itself(taken: int) -> None:
    known = with_ports(fresh(), list(fresh().names()), None)
    known = msgspec.structs.replace(known, ports={**known.ports, "redis": taken})
    assert with_ports(known, ["kafka-1"], None).ports["redis"] == taken


def test_while_one_broker_runs_the_others_keep_the_ports_it_knows_them_by(taken: int) -> None:
    known = with_ports(fresh(3), list(fresh(3).names()), None)
    known = msgspec.structs.replace(known, ports={**known.ports, "controller-2": taken})
    assert with_ports(known, ["kafka-2"], None).ports == known.ports


def test_the_asked_port_is_the_first_brokers_and_the_next_ones_the_others() -> None:
    port = next(port for port in iter(lambda: free(set()), None) if port % 10 == 0)
    known = with_ports(fresh(3), list(fresh(3).names()), port)
    assert [known.ports[f"kafka-{node}"] for node in (1, 2, 3)] == [port, port + 1, port + 2]


def test_an_asked_port_that_is_taken_is_an_error_that_names_it(taken: int) -> None:
    with pytest.raises(Unavailable, match=f"Port {taken} is taken by another program"):
        with_ports(fresh(), list(fresh().names()), taken)


def test_another_port_for_a_running_broker_is_refused(taken: int) -> None:
    known = with_ports(fresh(), list(fresh().names()), None)
    with pytest.raises(Unavailable, match="`stack down` first"):
        with_ports(known, ["redis"], taken)


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(15_000 <= free(set()) < 61_000 for _ in range(50))
