"""The options of kcat that the recipe uses, over the same library, librdkafka: `python consume.py -b … -C -t TOPIC …` where kcat is not installed.

Any other option is an error, and what `-X` says goes to librdkafka, which refuses what it does not know.
"""

import argparse
import sys
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

DEFAULT_FORMAT = "%s\\n"
WAIT_S = 60.0


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kcat", allow_abbrev=False)
    parser.add_argument("-b", required=True, dest="brokers")
    parser.add_argument("-C", required=True, action="store_true")
    parser.add_argument("-t", required=True, dest="topic")
    parser.add_argument("-X", action="append", default=[], dest="properties")
    parser.add_argument("-o", required=True, choices=["beginning"])
    parser.add_argument("-e", required=True, action="store_true")
    parser.add_argument("-q", required=True, action="store_true")
    parser.add_argument("-f", default=DEFAULT_FORMAT, dest="format")
    return parser.parse_args(arguments)


def shown(record: Any, form: str) -> bytes:
    """Return a record as a format has it: %T time, %S length of the value (-1 without one), %k key, %s value."""
    value = record.value()
    parts = {
        b"%T": str(record.timestamp()[1]).encode(),
        b"%S": b"-1" if value is None else str(len(value)).encode(),
        b"%k": record.key() or b"",
        b"%s": value or b"",
        b"\\n": b"\n",
    }
    line, text = b"", form.encode()
    while text:
        part = parts.get(text[:2])
        line += text[:1] if part is None else part
        text = text[1 if part is None else 2 :]
    return line


def main() -> None:
    given = options(sys.argv[1:])
    properties = dict(each.split("=", 1) for each in given.properties)
    consumer = Consumer({"bootstrap.servers": given.brokers, "group.id": "unused", "enable.partition.eof": True, **properties})
    partitions = consumer.list_topics(given.topic, timeout=WAIT_S).topics[given.topic].partitions
    consumer.assign([TopicPartition(given.topic, number, OFFSET_BEGINNING) for number in partitions])
    left = set(partitions)
    while left:
        record = consumer.poll(WAIT_S)
        if record is None:
            sys.exit(f"nothing came of {given.topic} for {WAIT_S:.0f} s")
        if record.error() is None:
            sys.stdout.buffer.write(shown(record, given.format))
        elif record.error().code() == KafkaError._PARTITION_EOF:
            left.discard(record.partition())
        else:
            sys.exit(str(record.error()))
    consumer.close()


if __name__ == "__main__":
    main()
