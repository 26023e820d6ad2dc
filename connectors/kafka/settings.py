"""How every process of an installation reaches Kafka: one set of settings, converted to arguments for aiokafka's clients."""

import ssl
from contextlib import suppress
from typing import Any

import msgspec
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.helpers import create_ssl_context

from schemas.errors import Fenced, Unavailable
from schemas.tenancy import Secret

MAX_RECORD_BYTES = 2 * 1024 * 1024  # DESIGN: messages of up to 2 MiB; broker, topic, producer and consumer agree
DEAD_LETTER_ROOM = 64 * 1024  # above MAX_RECORD_BYTES: a dead letter is its record and some headers

AWAY = (KafkaError, OSError, AssertionError)
"""What aiokafka raises where brokers are away. Its look-up of a coordinator asserts that some broker can be asked at the moment."""

FENCED = (ProducerFenced, InvalidProducerEpoch)
"""What aiokafka raises where a later producer has the same transactional id."""


class _NotAwaitingFarewell(ssl.SSLObject):
    """TLS whose close is sent and not awaited, as RFC 5246 section 7.2.1 permits: every answer wanted has been read before.

    asyncio keeps a closing connection until the other side has closed, too. A broker does so only after 100 ms
    where it has refused a password (`connection.failed.authentication.delay.ms`), and one that hangs never: a process that
    ended meanwhile left the connection open.
    """

    def unwrap(self) -> None:
        """Send this side's close."""
        with suppress(ssl.SSLWantReadError):
            super().unwrap()


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[kafka]` part of the configuration. `topic_prefix` begins the name of every topic, group and transactional id."""

    bootstrap: str = "127.0.0.1:9092"
    security_protocol: str = "PLAINTEXT"  # PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
    sasl_mechanism: str = "PLAIN"  # PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
    username: str = ""
    password: Secret = Secret("")
    ssl_cafile: str = ""
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    ssl_password: Secret = Secret("")
    topic_prefix: str = ""
    replication: int = 1
    min_insync: int = 1
    partitions: int = 4

    def topic(self, name: str) -> str:
        """Return a topic's name on the broker."""
        return f"{self.topic_prefix}{name}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS context, or None where the protocol has no TLS."""
        if "SSL" not in self.security_protocol:
            return None
        context: ssl.SSLContext = create_ssl_context(
            cafile=self.ssl_cafile or None,
            certfile=self.ssl_certfile or None,
            keyfile=self.ssl_keyfile or None,
            password=self.ssl_password.reveal() or None,
        )
        context.sslobject_class = _NotAwaitingFarewell
        return context

    def unavailable(self, error: BaseException) -> Unavailable:
        """Return the error to raise where brokers do not answer, now or from the beginning, or have let another process take over."""
        if isinstance(error, FENCED):
            return Fenced("The records were not appended: another process began to do the same. Trying again is safe.")
        return Unavailable(
            f"Kafka at {self.bootstrap} does not answer ({type(error).__name__}). Is it running, and are kafka.bootstrap and "
            "kafka.security_protocol right? `intercom-streams stack up` starts one on this machine."
        )

    def client(self) -> dict[str, Any]:
        """Return the arguments common to all aiokafka clients."""
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security_protocol}
        if context := self.ssl_context():
            arguments["ssl_context"] = context
        if self.security_protocol.startswith("SASL"):
            arguments |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.reveal(),
            }
        return arguments
