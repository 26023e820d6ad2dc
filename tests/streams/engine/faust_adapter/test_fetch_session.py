"""Fetch sessions: what a request names after which answer. On a broker every test of the engine fetches in sessions."""

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4, FetchRequest_v11
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.faust_adapter.fetch_session import FetchSession, FetchSessions

SIZE = 1 << 20


def fetching(offsets: dict[tuple[str, int], int]) -> FetchRequest:
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for (topic, partition), offset in offsets.items():
        topics.setdefault(topic, []).append((partition, offset, SIZE))
    return FetchRequest(100, 1, 64 << 20, 1, list(topics.items()))


def sent(session: FetchSession, offsets: dict[tuple[str, int], int]) -> Any:
    """Return the request as it is sent, in two dictionaries and the session's id and epoch."""
    struct = session.request(fetching(offsets)).build(FetchRequest_v11)
    struct.encode()
    return SimpleNamespace(
        named={(topic, each[0]): each[2] for topic, partitions in struct.topics for each in partitions},
        forgotten={(topic, each) for topic, partitions in struct.forgotten_topics_data for each in partitions},
        session=(struct.session_id, struct.session_epoch),
    )


def answer(session_id: int, error: int = 0) -> Any:
    return SimpleNamespace(session_id=session_id, error_code=error, topics=[])


A, B, C = ("a", 0), ("a", 1), ("b", 0)


def test_after_the_first_request_only_what_has_changed_is_named() -> None:
    session = FetchSession()
    first = sent(session, {A: 1, B: 2, C: 3})
    assert (first.named, first.session) == ({A: 1, B: 2, C: 3}, (0, 0))
    session.answered(answer(7))
    second = sent(session, {A: 5, C: 3})
    assert (second.named, second.forgotten, second.session) == ({A: 5}, {B}, (7, 1))
    session.answered(answer(7))
    third = sent(session, {A: 5, B: 2, C: 3})
    assert (third.named, third.forgotten, third.session) == ({B: 2}, set(), (7, 2))


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (answer(0, error=70), (0, 0)),  # the broker has dropped the session
        (answer(0, error=71), (7, 0)),  # it counts otherwise: end the session and begin another
        (answer(0), (0, 0)),  # it gives none, as all its places are taken
    ],
)
def test_a_session_that_the_broker_ends_is_followed_by_one_that_names_everything(last: Any, expected: tuple[int, int]) -> None:
    session = FetchSession()
    sent(session, {A: 1, B: 2})
    session.answered(answer(7))
    sent(session, {A: 1, B: 2})
    session.answered(last)
    request = sent(session, {A: 1, B: 2})
    assert (request.named, request.forgotten, request.session) == ({A: 1, B: 2}, set(), expected)


def test_a_broker_without_sessions_gets_the_whole_request() -> None:
    session = FetchSession()
    for _ in range(2):
        struct = session.request(fetching({A: 1})).build(FetchRequest_v4)
        assert struct.topics == [("a", [(0, 1, SIZE)])]
        session.answered(SimpleNamespace())


@pytest.mark.asyncio
async def test_after_a_fetch_that_failed_or_was_cancelled_everything_is_named_again() -> None:
    requests: list[Any] = []
    outcomes = iter([answer(7), KafkaConnectionError(), answer(7), asyncio.CancelledError(), answer(7)])

    async def send(node_id: int, request: Any, **_: Any) -> Any:
        requests.append(request.build(FetchRequest_v11))
        if isinstance(outcome := next(outcomes), BaseException):
            raise outcome
        return outcome

    sessions = FetchSessions(send)
    for _ in range(5):
        with contextlib.suppress(KafkaConnectionError, asyncio.CancelledError):
            await sessions.send(1, fetching({A: 1}))
    assert [(each.session_id, each.session_epoch, bool(each.topics)) for each in requests] == [
        (0, 0, True), (7, 1, False), (7, 0, True), (7, 1, False), (7, 0, True),
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_brokers_have_sessions_of_their_own_and_other_requests_have_none() -> None:
    seen: list[Any] = []

    async def send(node_id: int, request: Any, **options: Any) -> Any:
        seen.append((node_id, type(request).__name__, options))
        return answer(10 + node_id)

    sessions = FetchSessions(send)
    await sessions.send(1, fetching({A: 1}))
    await sessions.send(2, fetching({B: 1}))
    lookup = FindCoordinatorRequest("group", 0)
    await sessions.send(2, lookup, group=1)
    assert seen == [(1, "SessionFetchRequest", {}), (2, "SessionFetchRequest", {}), (2, "FindCoordinatorRequest", {"group": 1})]


@pytest.mark.asyncio
async def test_a_fetch_that_begins_before_the_last_one_has_ended_waits_for_it() -> None:
    """Else it would name what has changed since a request that the broker may refuse."""
    requests: list[Any] = []
    answers = [asyncio.get_running_loop().create_future() for _ in range(3)]

    async def send(node_id: int, request: Any, **_: Any) -> Any:
        requests.append(request.build(FetchRequest_v11))
        return await answers[len(requests) - 1]

    sessions = FetchSessions(send)
    fetches = [asyncio.create_task(sessions.send(1, fetching(wanted))) for wanted in ({A: 1}, {B: 1}, {C: 1})]
    for count, done in enumerate(answers, 1):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(requests) == count
        done.set_result(answer(7))
        await fetches[count - 1]
    assert [each.session_epoch for each in requests] == [0, 1, 2]
    assert [each.forgotten_topics_data for each in requests] == [[], [("a", [0])], [("a", [1])]]


@pytest.mark.asyncio
async def test_an_answer_with_a_partition_that_was_not_asked_for_is_thrown_away_and_the_session_begins_again() -> None:
    strange = answer(7)
    strange.topics = [("a", [(1, 0, 5)])]
    answers, requests = [answer(7), strange, answer(8)], []

    async def send(node_id: int, request: Any, **_: Any) -> Any:
        requests.append(request.build(FetchRequest_v11))
        return answers[len(requests) - 1]

    sessions = FetchSessions(send)
    for _ in range(3):
        assert (await sessions.send(1, fetching({A: 1}))).topics == []
    assert [(each.session_id, each.session_epoch, bool(each.topics)) for each in requests] == [
        (0, 0, True), (7, 1, False), (7, 0, True),
    ]  # fmt: skip


PLACES = st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 3))
ANSWERS = st.sampled_from([answer(7), answer(0), answer(0, error=70), answer(0, error=71), None])


@given(st.lists(st.tuples(PLACES, ANSWERS)))
def test_the_broker_always_knows_exactly_what_is_wanted(history: list[tuple[dict[tuple[str, int], int], Any]]) -> None:
    """A broker as KIP-227 has it, which may drop or refuse the session; None is an answer that never arrives."""
    session, known, epoch = FetchSession(), {}, 0
    for wanted, outcome in history:
        request = sent(session, wanted)
        if request.session[1] == 0:
            known = {}
        else:
            assert request.session == (7, epoch)
        known = {place: offset for place, offset in known.items() if place not in request.forgotten} | request.named
        assert known == wanted
        epoch = request.session[1] + 1
        if outcome is None:
            session.restart()
        else:
            session.answered(outcome)
