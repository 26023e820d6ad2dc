"""Whether this process may still write for an agent: where a rebuild has taken over, or is about to, it may not.

A load asks after it has fenced the partition's previous owner. Who takes over writes that to a topic first and fences then, so either the
load sees it, or its producer is fenced later.
"""

from typing import Protocol

from aiokafka import TopicPartition

from schemas.errors import Unavailable


class GenerationHeld(Unavailable):
    """An agent stands still for a moment, because a rebuild compares its tables or takes over from it. Load it again later."""


class GenerationGuard(Protocol):
    """What is known of the generations. `control` is the partition where it is written."""

    control: TopicPartition

    def is_held(self, agent: str) -> bool:
        """Say whether an agent stands still, as far as is known."""

    async def read_to(self, end: int) -> None:
        """Learn what is written before that offset. Raises MustStop where other generations than those of this process are live."""
