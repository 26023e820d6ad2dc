"""Sends the records of a transaction and awaits their acknowledgements; of several errors it raises the one that is the cause."""

import asyncio
from collections.abc import AsyncIterable
from typing import Any

from aiokafka.errors import IllegalOperation, KafkaError


async def acknowledged(sent: AsyncIterable[asyncio.Future[Any]]) -> None:
    """Hand over all records and return once brokers have acknowledged them. Raises a KafkaError.

    Brokers may refuse one record while the next is handed over. aiokafka then reports the latter as outside of any transaction, by an
    error that is no KafkaError; so the answers to those before count first.
    """
    answers: list[asyncio.Future[Any]] = []
    refused: KafkaError | None = None
    try:
        async for answer in sent:
            answers.append(answer)  # noqa: PERF401  # what was handed over before an error is needed
    except (KafkaError, IllegalOperation) as error:
        refused = error if isinstance(error, KafkaError) else KafkaError(str(error))
    except BaseException:
        for answer in answers:
            answer.cancel()  # else the log would show their errors as never looked at
        raise
    results = await asyncio.gather(*answers, return_exceptions=True)  # all, so that no error is unretrieved
    for result in (*results, refused):
        if isinstance(result, BaseException):
            raise result
