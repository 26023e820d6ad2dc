"""What becomes of statistics of contents, of which there can be one for each e-mail and contact: kept, counted only, or dropped with a metric."""

import random

import pytest

from schemas.activities.retention import RetentionPolicy, checked
from schemas.errors import InvalidRecord
from streams.core.activities.limits import RetentionLimits
from tests.streams.agents.activities.test_flows import Story
from tests.support.intercom_bodies import ADA, AT

EMAIL, BANNER = "content_stat.email", "content_stat.banner"


def policy(**rates):
    return checked(RetentionPolicy(rates=tuple((name.replace("_stat_", "_stat."), rate) for name, rate in rates.items())))


class Mailing(Story):
    def stat(self, number, kind="email", second=AT):
        item = {"contact": {"id": ADA}, "content_stat": {"id": number, "stat_type": "receipt", "created_at": second}}
        return self.report(f"content_stat.{kind}", item, number=number)

    def dropped(self):
        return self.notes["activities", "statistic_dropped"]

    def engagement(self):
        (person,) = self.values("people.engagement").values()
        return {name: (each["count"], each["first_at"], each["last_at"]) for name, each in person["types"].items()}


def test_statistics_are_kept_where_no_policy_says_otherwise():
    story = Mailing().stat(1)
    assert story.one(EMAIL)["type"] == EMAIL


def test_what_is_counted_only_has_first_last_and_count_and_no_details_anywhere():
    story = Mailing()
    story.retain(policy(content_stat_email="count"))
    story.run()
    for number in (1, 2, 2, 3):
        story.stat(number, second=AT + number)
    story.stat(4, "banner")
    assert [each["type"] for each in story.activities()] == [BANNER]
    assert story.engagement()[EMAIL] == (3, (AT + 1) * 1000, (AT + 3) * 1000)
    assert [b"receipt" in value for value in story.latest("activity.records").values()].count(True) == 1, "the banner's"


def test_a_policy_that_counts_only_takes_details_away_and_one_that_keeps_counts_as_before():
    story = Mailing()
    for number in (1, 2):
        story.stat(number, second=AT + number)
    before = story.engagement()
    story.retain(policy(content_stat_email="count"))
    story.run()
    assert (story.activities(), story.engagement()) == ([], before)
    story.retain(policy(), version=2)
    story.run()
    assert story.engagement() == before
    story.stat(1, second=AT + 1)
    assert (len(story.activities()), story.engagement()) == (1, before), (
        "a repetition brings its details back, and counts nothing"
    )


def test_what_one_event_shows_before_and_after_a_rate_took_it_away_has_two_ids_though_no_rate_is_left():
    story, stat = Mailing(), {"contact": {"id": ADA}, "content_stat": {"id": 1, "stat_type": "receipt", "created_at": AT}}
    story.wake(AT // 86_400)
    story.report(EMAIL, stat, number=1)
    for version, each in enumerate((policy(content_stat_email="count"), policy()), 1):
        story.retain(each, version=version)
        story.run()
    story.report(EMAIL, stat, number=2).report(EMAIL, stat, number=1)
    ids = [dict(record.headers)["ce_id"] for record in story.topics["activities"]]
    assert (len(ids), len(set(ids))) == (4, 4)


def test_what_is_dropped_leaves_a_metric_alone_and_what_was_there_stays():
    story = Mailing().stat(1)
    story.retain(policy(**{"content_stat_*": "drop", "content_stat_banner": "keep"}))
    story.run()
    story.stat(2).stat(3).stat(4, "banner").stat(1)
    assert sorted(each["type"] for each in story.activities()) == [BANNER, EMAIL]
    assert {name: number for name, (number, *_) in story.engagement().items()} == {BANNER: 1, EMAIL: 1}
    assert story.dropped() == 2
    assert len(story.latest("activity.records")) == 2, "the topic that rebuilds the table has nothing of them either"


def test_other_activities_have_no_rate():
    assert RetentionPolicy(rates=(("content_stat.*", "drop"),)).rate_of("event.created") == "keep"
    assert not RetentionLimits.of(policy(**{"content_stat_*": "count"}), 1, None).is_expired("call.ended", 0)
    assert RetentionLimits.of(policy(**{"content_stat_*": "count"}), 1, None).is_expired(EMAIL, AT * 1000)


@pytest.mark.parametrize(
    "rates",
    [
        (("event.created", "drop"),),
        (("content_stat.email", "sometimes"),),
        (("content_stat", "drop"),),
        (("content_stat.email", "drop"), ("content_stat.email", "keep")),
    ],
)
def test_a_rate_that_is_none_is_a_clear_error(rates):
    with pytest.raises(InvalidRecord, match=r"rate"):
        checked(RetentionPolicy(rates=rates))


def test_counts_are_equal_in_any_order_of_what_is_counted_only():
    stats = [(number, AT + random.Random(3).randrange(900)) for number in range(1, 9)]
    found = []
    for seed in range(3):
        story = Mailing()
        story.retain(policy(content_stat_email="count"))
        story.run()
        shuffled = [*stats, *stats[:3]]
        random.Random(seed).shuffle(shuffled)
        for number, second in shuffled:
            story.stat(number, second=second)
        found.append((story.latest("people.engagement"), story.rows("timelines")))
    assert found == [found[0]] * 3
