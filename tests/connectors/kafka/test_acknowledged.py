"""Of several errors of a transaction's records the cause is raised, and none is left to the log."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced, TopicAuthorizationFailedError

from connectors.kafka.acknowledged import acknowledged

pytestmark = pytest.mark.asyncio


def answered(answer: object) -> asyncio.Future[Any]:
    future = asyncio.get_running_loop().create_future()
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)
    return future


async def handed_over(answers: Sequence[object], then: BaseException | None = None) -> AsyncIterator[asyncio.Future[Any]]:
    for answer in answers:
        yield answered(answer)
    if then is not None:
        raise then


async def test_what_all_brokers_take_is_acknowledged() -> None:
    await acknowledged(handed_over([1, 2, 3]))
    await acknowledged(handed_over([]))


@pytest.mark.parametrize(
    ("answers", "then", "cause"),
    [
        ([1, ProducerFenced()], IllegalOperation("not in a transaction"), ProducerFenced),
        ([ProducerFenced(), TopicAuthorizationFailedError()], None, ProducerFenced),
        ([1], TopicAuthorizationFailedError(), TopicAuthorizationFailedError),
        ([1], IllegalOperation("not in a transaction"), KafkaError),
    ],
)
async def test_the_answer_to_an_earlier_record_is_the_cause(
    answers: Sequence[object], then: BaseException | None, cause: type[BaseException]
) -> None:
    with pytest.raises(cause):
        await acknowledged(handed_over(answers, then))


async def test_who_is_cancelled_waits_for_no_answer() -> None:
    waiting = asyncio.get_running_loop().create_future()

    async def never_ready() -> AsyncIterator[asyncio.Future[Any]]:
        yield waiting
        await asyncio.Event().wait()

    task = asyncio.create_task(acknowledged(never_ready()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waiting.cancelled()
