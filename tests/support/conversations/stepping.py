"""The conversations agent over a table in memory."""

from schemas.codec import Avro
from schemas.intercom.conversations import ERASURE, ERASURES_TOPIC, SENT, ConversationErasure
from schemas.message import RecordValue
from schemas.profiles.checkpoints import ROW_TYPE
from schemas.profiles.registers import PatchCause
from streams.agents.conversations.agent import TOPIC, checkpoint_messages, conversations
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.conversations.bodies import KEY
from tests.support.tenancy import WITH_SOURCES

AVRO = Avro.local()
AGENT = conversations(WITH_SOURCES, AVRO)


class Conversations:
    """Its table, and everything it has sent."""

    def __init__(self):
        self.table, self.sent, self.notes = MemoryTable(AGENT.codec), [], {}

    def feed(self, *records: RecordValue):
        """Process records as one batch."""
        out = ListOutbox()
        AGENT.step(Batch(TOPIC, 0, records), self.table, out)
        self.table.commit()
        self.sent += out.sent
        self.notes |= out.notes
        return self

    def erase(self, *contacts: str):
        """Say that contacts of the conversation are erased, as the activities agent does."""
        out = ListOutbox()
        value = ERASURE.encode(ConversationErasure(PatchCause("erasure", 1_000)))
        AGENT.step(Batch(ERASURES_TOPIC, 0, [RecordValue(f"{KEY}|{each}".encode(), value) for each in contacts]), self.table, out)
        self.table.commit()
        self.sent += out.sent
        return self

    def rows(self):
        """Return all rows but those that say what was sent, which is history."""
        return {key: value for key, value in self.table.rows().items() if not key.endswith(f"|{SENT}")}

    def bytes_sent(self, topic="conversations"):
        """Return the latest bytes of each key of a topic."""
        return {each.key.decode(): each.value for each in self.sent if each.topic == topic}

    def values(self, topic="conversations"):
        """Return the latest value of each key of a topic."""
        return {key: AVRO.decode(value)[1] for key, value in self.bytes_sent(topic).items()}

    def value(self):
        """Return the only conversation."""
        (value,) = self.values().values()
        return value

    def checkpoints(self):
        """Return the records that stand for the table."""
        keys = [key for key in self.rows() if "|" not in key]
        return [
            RecordValue(key.encode(), message, [("ce_id", b"checkpoint"), ("ce_type", ROW_TYPE.encode())])
            for key in keys
            for message in checkpoint_messages(key, self.table, 1)
        ]

    def requests(self):
        return [AVRO.decode(each.value)[1] for each in self.sent if each.topic == "conversation.read.requests"]


def after(*records):
    """Return the only conversation after these records, each a batch."""
    story = Conversations()
    for record in records:
        story.feed(record)
    return story.value()
