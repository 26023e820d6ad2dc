"""The table of rivals: the programs that do the same work, their packages, and what is expected of them."""

import importlib.util
from types import MappingProxyType

import msgspec

from bench.engine.kafka_streams.program import jdk


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """`run` of the module `module` in this package does a `Job` until it is stopped. `goal` is for ours divided by the rival."""

    module: str
    about: str
    package: str | None = None  # left out where it is not installed
    goal: float | None = None
    changelog: str = "{group}-counts-changelog"  # as Faust and Kafka Streams name it; the engine has a name of its own
    comparable: bool = True  # its changelog has the row's plain key and value
    exact: bool = False  # promises each output exactly once, and a correct table
    limited: bool = False  # too slow for all events: stopped after a while, its rate is of the events until then
    in_java: bool = False  # left out where no JDK is found

    @property
    def installed(self) -> bool:
        """Say whether it can run here."""
        if self.in_java and jdk() is None:
            return False
        return self.package is None or importlib.util.find_spec(self.package) is not None


RIVALS = MappingProxyType({
    "ours": Rival(module="ours", about="this engine, a transaction a batch", exact=True, changelog="{group}.g1.counts.changelog"),
    "ours_on_disk": Rival(
        module="ours_on_disk", about="this engine, its table in RocksDB", exact=True, changelog="{group}.g1.counts.changelog",
    ),
    "stock_faust": Rival(
        module="stock_faust", about="faust-streaming as it comes", goal=15, limited=True, comparable=False,  # it spells keys as JSON
    ),
    "raw_aiokafka": Rival(module="raw_aiokafka", about="a loop on aiokafka, a transaction a poll of 2,000", goal=0.75, exact=True),
    "raw_confluent": Rival(module="raw_confluent", about="a loop on confluent-kafka, a transaction a poll of 2,000", exact=True),
    "quixstreams": Rival(
        module="quix", about="Quix Streams, exactly-once, RocksDB", package="quixstreams", goal=1.5, comparable=False, exact=True,
    ),
    "kafka_streams": Rival(
        module="kafka_streams", about="Kafka Streams, exactly_once_v2, store in memory, in Java", in_java=True, exact=True,
    ),
    "kafka_streams_on_disk": Rival(
        module="kafka_streams_on_disk", about="Kafka Streams, exactly_once_v2, RocksDB, in Java", in_java=True, exact=True,
    ),
    "bytewax": Rival(
        module="wax", about="bytewax, neither changelog nor recovery store", package="bytewax", goal=1.2, comparable=False,
    ),
})  # fmt: skip
