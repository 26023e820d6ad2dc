"""What the command line says of types of activities: names that no activity has are refused, because nothing would ever follow from them."""

import pytest
from click.testing import CliRunner

from schemas.activities.retention import UNLIMITED, RetentionPolicy
from schemas.errors import BadConfiguration
from streams.cli.main import root
from streams.cli.verbs.activities.retention import changed
from streams.core.activities.table import TABLE, rule_of
from streams.core.activities.types import TYPES, is_type


def test_types_are_named_one_by_one_and_taken_back():
    policy = changed(RetentionPolicy(), None, ("conversation.rated=unlimited", "call.ended=30", "content_stat.other=7"))
    assert policy.by_type == {"call.ended": 30, "content_stat.other": 7, "conversation.rated": UNLIMITED}
    assert changed(policy, 60, ("call.ended=default",)).by_type == {"content_stat.other": 7, "conversation.rated": UNLIMITED}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("conversation.rate", "conversation.rated"),
        ("call.endet", "call.ended"),
        ("xyz", "docs/activities.md"),
        ("content_stat.hologram", "content_stat.other"),  # which a statistic of that kind would be
    ],
)
def test_a_type_that_no_activity_has_is_refused_with_what_may_have_been_meant(name, hint):
    with pytest.raises(BadConfiguration, match=hint):
        changed(RetentionPolicy(), None, (f"{name}=30",))


def test_a_rate_of_a_kind_that_no_activity_has_is_refused_too():
    with pytest.raises(BadConfiguration, match=r"--rate content_stat\.hologram"):
        changed(RetentionPolicy(), None, (), ("content_stat.hologram=drop",))
    assert changed(RetentionPolicy(), None, (), ("content_stat.*=drop",)).rate_of("content_stat.other") == "drop"


def test_a_name_that_an_earlier_release_took_can_be_taken_back():
    assert changed(RetentionPolicy(90, (("call.endet", 3),)), None, ("call.endet=default",)) == RetentionPolicy()


def test_whatever_a_topic_becomes_is_a_type():
    rules = [rule_of(topic) for topic in (*TABLE, "call.held", "ticket.dreamt", "event.renamed", "content_stat.hologram")]
    assert [rule for rule in rules if not is_type(getattr(rule, "type", "call.ended"))] == []
    assert "conversation.other" in TYPES


@pytest.mark.parametrize("days", ["\u00b2", "0", "-1", "1.5", "36501", "9" * 5000, "", "soon"])
@pytest.mark.parametrize("option", ["--days", "--type"])
def test_what_is_no_number_of_days_is_refused_before_kafka_is_asked(tmp_path, monkeypatch, days, option):
    monkeypatch.chdir(tmp_path)
    for verb in ("set", "what-if"):
        asked = days if option == "--days" else f"call.ended={days}"
        refused = CliRunner().invoke(root, ["activities", "policy", verb, option, asked])
        assert refused.exit_code == 2
        assert "is neither a number of days from 1 to 36500 nor unlimited" in refused.output


def test_without_any_tenant_the_next_step_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(root, ["activities", "policy", "show"])
    assert isinstance(refused.exception, BadConfiguration)
    assert "`intercom-streams init` writes one" in str(refused.exception)
