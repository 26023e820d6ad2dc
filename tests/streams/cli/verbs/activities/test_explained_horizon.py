"""What `activities explain` says of how long details are kept is what the policy in force does."""

import pytest

from streams.cli.verbs.activities.explanation import horizon_line
from streams.ops.activities.explain import ActivityHorizon

EMAIL = "content_stat.email"


def horizon(**changed):
    values = {"tenant": "acme", "type": EMAIL, "days": 90, "rate": "keep", "policy": 3, "day": None, "before": None}
    return ActivityHorizon(**{**values, **changed})


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({}, f"{EMAIL} for 90 days (version 3 of the policy of acme)"),
        (
            {"policy": 0, "before": "2026-09-01T00:00:00Z"},
            f"{EMAIL} for 90 days (no policy of acme says otherwise); what is older than 2026-09-01T00:00:00Z is gone",
        ),
        ({"days": None}, f"{EMAIL} without limit (version 3 of the policy of acme)"),
        ({"rate": "count"}, f"{EMAIL} not at all: it is counted only (version 3 of the policy of acme)"),
        (
            {"rate": "drop"},
            f"{EMAIL} for 90 days; new ones are neither kept nor counted (version 3 of the policy of acme)",
        ),
    ],
)
def test_each_policy_has_its_sentence(changed, line):
    assert horizon_line(horizon(**changed)).strip() == line
