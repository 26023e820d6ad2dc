"""Where partitions end once every transaction of now is decided, so that a reader of committed records sees all that was committed.

A commit is answered before its markers are in the log of each partition. Until they are, the broker gives readers of committed records an
earlier end: who asks for it at once reads less than was committed, even of what this process itself has just written.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from aiokafka import TopicPartition

from connectors.kafka.clients import Consumer
from schemas.errors import Unavailable

_DECIDED_S: Final = 90.0  # above the longest transaction.timeout of this product's own producers
_FIRST_POLL_S: Final = 0.005  # markers follow a commit within milliseconds
_LONGEST_POLL_S: Final = 0.2


async def decided_ends(consumer: Consumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the ends of now, when no transaction before them is undecided; the consumer has to be one of committed records.

    Raises Unavailable where one stays open, as a producer leaves it that was killed until the broker aborts it.
    """
    ends: dict[TopicPartition, int] = await consumer.written_ends(partitions)
    pause, left = _FIRST_POLL_S, list(partitions)
    try:
        async with asyncio.timeout(_DECIDED_S):
            while True:
                committed = await consumer.end_offsets(left)
                left = [each for each in left if committed[each] < ends[each]]
                if not left:
                    return ends
                await asyncio.sleep(pause)
                pause = min(_LONGEST_POLL_S, pause * 2)
    except TimeoutError:
        raise Unavailable(
            f"a transaction on {left[0].topic} (partition {left[0].partition}) is open since {_DECIDED_S:.0f} s, so nothing behind it "
            "can be read; `intercom-streams doctor` shows which"
        ) from None
