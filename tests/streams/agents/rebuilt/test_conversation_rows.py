"""What a rebuild compares and publishes of conversations."""

from schemas.intercom.conversations import Part
from schemas.profiles.registers import CheckpointRound, PatchCause
from streams.agents.rebuilt.conversation_rows import comparable, correct, why
from streams.agents.rebuilt.group_rows import GroupRows
from streams.engine.in_memory import ListOutbox
from tests.support.conversations.bodies import KEY, conversation, hook, part
from tests.support.conversations.stepping import AVRO, Conversations


def row(*parts, **fields):
    return Conversations().feed(hook("conversation.user.replied", conversation(*parts, **fields))).table.get(KEY)


def published(live, rebuilt):
    out = ListOutbox()
    assert correct(GroupRows(KEY, {"": live}, {"": rebuilt}), PatchCause("rebuild", 5), out, avro=AVRO) == {}
    return [AVRO.decode(each.value)[1] for each in out.sent]


def test_equal_conversations_publish_nothing_and_a_different_one_its_rebuilt_value():
    assert published(row(part(1)), row(part(1))) == []
    (value,) = published(row(part(1)), row(part(1), part(2), state="closed"))
    assert (value["state"], value["tallies"]["parts"]["count"]) == ("closed", 2)


def test_parts_and_conversations_are_compared_and_the_place_of_checkpoints_is_not():
    assert comparable(KEY, "", row(part(1))) != comparable(KEY, "", row(part(1), part(2)))
    assert comparable(KEY, "1", Part(second=1)) != comparable(KEY, "1", Part(second=2))
    assert comparable("checkpoint round", "", CheckpointRound(1)) is None


def test_a_difference_is_named_without_values():
    assert why(row(part(1)), row(part(1), part(2))) == "registers, tallies"
    assert why(Part(second=1), Part(second=2, author="contact:1")) == "second, author"
    assert why(Part(), row()) == "one of them is no conversation"
