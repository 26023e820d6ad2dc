"""Intercom's rules of delivery, as histories of a subscription."""

import pytest

from connectors.simulator.rest.faults import Faults
from connectors.simulator.webhooks.subscription import (
    ERRORS,
    ERRORS_WITHIN_MS,
    LEAST_THROTTLE_MS,
    MOST_THROTTLE_MS,
    PAUSE_MS,
    RETRY_MS,
    SUSPEND_AFTER_MS,
    Notification,
    Standing,
    WebhookSubscription,
)

GOOD = Faults()


class History:
    """A subscription, its time, and the faults of Intercom."""

    def __init__(self, speed: float = 1.0) -> None:
        self.subscription, self.now, self.faults, self.offered = WebhookSubscription(7, speed), 0, GOOD, 0

    def offer(self, count: int = 1, apart_ms: int = 0) -> None:
        for _ in range(count):
            notification = Notification(
                number=self.offered, id=f"n{self.offered}", topic="t", about="x", item={}, created_ms=self.now
            )  # fmt: skip
            self.subscription.offer(notification, self.faults, self.now)
            self.offered += 1
            self.now += apart_ms

    def send(self, status: int | None = 200) -> str | None:
        """Make the next attempt, if one is due: its id and which attempt it is."""
        due = self.subscription.due(self.faults, self.now)
        if due is None:
            return None
        self.subscription.answered(due, status, self.now)
        return f"{due.id}/{due.attempts}"

    def send_all(self, status: int | None = 200) -> list[str]:
        return list(iter(lambda: self.send(status), None))

    @property
    def dropped(self) -> list[tuple[str | None, str]]:
        return [(each.id, each.reason) for each in self.subscription.undelivered]


@pytest.mark.parametrize("status", [400, 404, 500, 503, None])
def test_an_error_or_no_answer_is_tried_once_more_after_a_minute(status: int | None) -> None:
    history = History()
    history.offer()
    assert history.send(status) == "n0/1"
    history.now += RETRY_MS - 1
    assert history.send() is None
    history.now += 1
    assert history.subscription.next_at(history.now) == history.now
    assert history.send(status) == "n0/2"
    history.now += 10 * RETRY_MS
    assert history.send() is None
    assert history.dropped == [("n0", "failed twice")]
    assert history.subscription.next_at(history.now) is None


def test_a_retry_that_succeeds_loses_nothing_and_time_can_be_sped_up() -> None:
    history = History(speed=60)
    history.offer()
    history.send(503)
    history.now += RETRY_MS // 60
    assert history.send() == "n0/2"
    assert history.dropped == []


def test_410_disables_until_it_is_set_live_again() -> None:
    history = History()
    history.offer(3)
    history.send(410)
    assert history.subscription.standing is Standing.DISABLED
    history.offer()
    history.now += SUSPEND_AFTER_MS
    assert history.send_all() == []
    assert sorted(history.dropped) == [(f"n{number}", "disabled") for number in range(4)]
    history.subscription.set_live()
    history.offer()
    assert history.send_all() == ["n4/1"]


def test_429_throttles_everything_ever_longer_and_drops_what_waited_two_hours() -> None:
    history = History()
    history.offer(3, apart_ms=10)
    assert history.send(429) == "n0/1"
    assert history.send() is None
    history.offer()
    history.now += LEAST_THROTTLE_MS
    assert history.send(429) == "n3/1"
    history.now += 2 * LEAST_THROTTLE_MS - 1
    assert history.send() is None
    history.now += 1
    assert history.send_all() == ["n3/1", "n2/1", "n1/1", "n0/1"]
    history.offer()
    history.send(429)
    history.now += MOST_THROTTLE_MS + 1
    assert history.send() is None
    assert history.dropped == [("n4", "throttled for too long")]


def test_a_throttle_is_two_hours_at_most_and_begins_small_after_a_success() -> None:
    history = History()
    waits = []
    for _ in range(9):
        history.offer()
        history.send(429)
        at = history.subscription.next_at(history.now)
        assert at is not None
        waits.append((at - history.now) // LEAST_THROTTLE_MS)
        history.now = at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 120, 120]
    history.send_all()
    history.offer()
    history.send(429)
    assert history.subscription.next_at(history.now) == history.now + LEAST_THROTTLE_MS


def test_answers_to_what_was_under_way_at_a_429_or_a_410_change_nothing_more() -> None:
    history = History()
    history.offer(4)
    under_way = [history.subscription.due(GOOD, history.now) for _ in range(4)]
    for each in under_way:
        history.subscription.answered(each, 429, history.now)
    assert history.subscription.next_at(history.now) == history.now + LEAST_THROTTLE_MS
    history.now += LEAST_THROTTLE_MS
    first, second, third = [history.subscription.due(GOOD, history.now) for _ in range(3)]
    history.subscription.answered(first, 410, history.now)
    history.subscription.answered(second, 503, history.now)
    history.subscription.answered(third, 200, history.now)
    assert history.subscription.waiting == 0
    assert sorted(history.dropped) == [("n0", "disabled"), ("n2", "disabled"), ("n3", "disabled")]
    assert history.subscription.counts["delivered"] == 1


def test_more_than_a_thousand_errors_in_a_row_pause_and_what_happens_meanwhile_is_dropped() -> None:
    history = History()
    history.offer(ERRORS)
    history.send_all(500)
    history.offer()
    assert history.send(500) is not None
    history.offer()
    assert history.dropped == [(f"n{ERRORS + 1}", "paused")]
    assert history.send_all() == []
    history.now += PAUSE_MS
    assert len(history.send_all()) == ERRORS + 1
    history.offer()
    assert history.send() == f"n{ERRORS + 2}/1"


def test_one_success_or_a_longer_time_between_errors_pauses_nothing() -> None:
    history = History()
    history.offer(ERRORS)
    history.send_all(500)
    history.offer(2)
    history.send(200)
    history.send(500)
    assert history.subscription.counts["pauses"] == 0
    slow = History()
    for _ in range(ERRORS + 1):
        slow.offer()
        slow.send(500)
        slow.now += ERRORS_WITHIN_MS // ERRORS + 1
    assert slow.subscription.counts["pauses"] == 0


def test_a_week_of_errors_suspends() -> None:
    history = History()
    for _ in range(9):
        history.offer()
        history.send(500)
        history.now += SUSPEND_AFTER_MS // 8
    assert history.subscription.standing is Standing.LIVE
    history.now += 1
    history.offer()
    history.send(500)
    history.send(500)
    assert history.subscription.standing is Standing.SUSPENDED


def test_after_an_outage_of_intercom_the_newest_come_first_and_what_is_new_before_them() -> None:
    history = History()
    history.faults = Faults(outage=True)
    history.offer(4, apart_ms=5)
    assert history.send() is None
    history.faults = GOOD
    history.offer()
    assert history.send_all() == ["n4/1", "n3/1", "n2/1", "n1/1", "n0/1"]


def test_webhooks_are_lost_doubled_and_overtaken_as_the_switches_say_the_same_each_time() -> None:
    runs = []
    for _ in range(2):
        history = History()
        history.faults = Faults(lost=0.05, duplicated=0.2, disorder=6)
        history.offer(1000)
        runs.append((history.send_all(), history.dropped))
    (sent, dropped) = runs[0]
    assert runs[0] == runs[1]
    assert 25 < len(dropped) < 80
    assert {reason for _, reason in dropped} == {"lost"}
    assert 120 < len(sent) - len(set(sent)) < 280
    assert len(set(sent)) == 1000 - len(dropped)
    order = [int(each[1:].split("/")[0]) for each in sent]
    assert order != sorted(order)


def test_a_webhook_and_its_duplicate_that_fail_at_once_are_both_tried_again() -> None:
    history = History()
    history.faults = Faults(duplicated=1.0)
    history.offer(3)
    assert len(history.send_all(500)) == 6
    history.now += RETRY_MS
    assert sorted(history.send_all()) == ["n0/2", "n0/2", "n1/2", "n1/2", "n2/2", "n2/2"]


def test_retries_that_wait_when_a_subscription_is_disabled_are_undelivered() -> None:
    history = History()
    history.faults = Faults(duplicated=1.0)
    history.offer()
    assert history.send_all(500) == ["n0/1", "n0/1"]
    history.faults = GOOD
    history.offer()
    assert history.send(410) == "n1/1"
    assert sorted(history.dropped) == [("n0", "disabled"), ("n0", "disabled"), ("n1", "disabled")]
