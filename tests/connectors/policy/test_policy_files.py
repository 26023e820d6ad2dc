"""Policy files: rules with bounds and grace, and every problem named by its key."""

from pathlib import Path

import pytest

from connectors.policy.file import read
from schemas.access.facts import Grace, Rule
from schemas.errors import BadConfiguration
from streams.core.access.checks.policy.validity import VALIDITIES
from streams.core.access.checks.table import WITH_GRACE

HEAD = '[[rules]]\napp_id = "a"\nvalidity = "all_staff"\n'


def rules(folder: Path, text: str) -> tuple[Rule, ...]:
    (folder / "policy.toml").write_text(text)
    return read(folder / "policy.toml", VALIDITIES, WITH_GRACE).policy.rules


def test_a_rule_has_grace_by_check_and_bounds_with_their_offsets(tmp_path):
    (rule,) = rules(
        tmp_path,
        HEAD + 'grace = { C2 = "24 hours", C4 = "3 business days", C1 = "1 day" }\n'
        'starts = 2026-04-01T00:00:00Z\nuntil = "2026-07-01T00:00:00+02:00"\n',
    )
    assert rule.grace == {
        "C1": Grace(amount=1, unit="days"), "C2": Grace(amount=24, unit="hours"), "C4": Grace(amount=3, unit="business_days"),
    }  # fmt: skip
    assert (rule.starts, rule.until) == (1_775_001_600_000, 1_782_856_800_000)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    assert rules(tmp_path, f"\ufeff{HEAD}") == rules(tmp_path, HEAD)


def test_rules_of_a_workspace_follow_each_other_and_keep_their_order(tmp_path):
    found = rules(
        tmp_path,
        HEAD + "until = 2026-04-01T00:00:00Z\n" + HEAD.replace("all_staff", "ticket") + "starts = 2026-04-01T00:00:00Z\n",
    )
    assert [rule.validity for rule in found] == ["all_staff", "ticket"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + HEAD, "workspace a has more than one rule for the same time: give each its own `starts` and `until`"),
        (HEAD + "starts = 2026-04-01\n", "workspace a: starts: expected a time with its offset, as in 2026-04-01T00:00:00Z, found 2026-04-01"),
        (HEAD + "until = 2026-04-01T00:00:00\n", "workspace a: until: expected a time with its offset"),
        (HEAD + 'until = "soon"\n', "workspace a: until: expected a time with its offset"),
        (HEAD + "starts = 2026-04-01T00:00:00Z\nuntil = 2026-04-01T00:00:00Z\n", "until: expected a time after `starts`"),
        (HEAD + 'grace = { C3 = "1 day" }\n', "workspace a: grace.C3: there is grace for C1, C2, C4, C5"),
        (HEAD + 'grace = { C2 = "soon" }\n', "workspace a: grace.C2: expected hours, days or business days, 1 to 10000, as in '3 business days', found 'soon'"),
        (HEAD + 'grace = { C2 = "0 days" }\n', "found '0 days'"),
        (HEAD + 'grace = { C2 = "10001 days" }\n', "found '10001 days'"),
        (HEAD + "grace = { C2 = 24 }\n", "Expected `str`, got `int`"),
        (HEAD.replace("all_staff", "somebody"), "validity 'somebody' is none of all_staff, intercom_roles, staff_roles, ticket"),
        (HEAD.replace("all_staff", "staff_roles"), "validity staff_roles needs roles"),
        (HEAD + 'roles = ["Support"]\n', "roles means nothing with validity all_staff"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, text, words):
    with pytest.raises(BadConfiguration) as raised:
        rules(tmp_path, text)
    assert words in str(raised.value)


def test_every_problem_is_named_at_once(tmp_path):
    with pytest.raises(BadConfiguration, match=r"(?s)starts: .*grace\.C9: .*grace\.C9: "):
        rules(tmp_path, HEAD + 'starts = "x"\ngrace = { C9 = "x" }\n')
