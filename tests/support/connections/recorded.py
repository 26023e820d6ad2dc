"""The connections to brokers that a test makes, kept so that none is closed by being collected."""

import pytest
from aiokafka.conn import AIOKafkaConnection


def record_connections(monkeypatch: pytest.MonkeyPatch) -> list[AIOKafkaConnection]:
    """Return a list that every connection of this process is added to, in whatever thread."""
    connections: list[AIOKafkaConnection] = []
    connect = AIOKafkaConnection.connect

    async def recorded(connection: AIOKafkaConnection) -> object:
        connections.append(connection)
        return await connect(connection)

    monkeypatch.setattr(AIOKafkaConnection, "connect", recorded)
    return connections


def left_open(made: list[AIOKafkaConnection]) -> list[AIOKafkaConnection]:
    assert made, "no connection was made"
    return [connection for connection in made if connection.connected()]
