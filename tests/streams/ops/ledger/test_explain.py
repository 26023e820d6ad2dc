"""The story of a teammate has every fact about the account and its owner, and what followed, in the order of the log."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import BadConfiguration
from streams.cli.access.explain import lines_of
from streams.cli.main import root
from streams.ops.ledger.explain import TeammateStory, explain
from streams.ops.ledger.export import HEAD
from streams.ops.ledger.head import LedgerHead, write_head
from tests.streams.ops.ledger.history import log_of, somebody_left, topics_of
from tests.streams.ops.ledger.written import write
from tests.support.company import AVRO, DAY, T0, TENANT, Company, admin, everyone, person_of, settings


def company() -> Company:
    made = Company()
    made.policy(everyone())
    made.staff("77", "jo@acme.example", employee="E77", name="Jo")
    made.staff("j", "jo.private@home.example", source="idp", employee="E77")
    made.added("7", "Jo@ACME.example", role="Admin")
    made.added("8", "box@acme.example")
    made.decided("account.linked", "8", staff=person_of("77"))
    made.seen("7", "jo@acme.example")
    made.staff("99", "other@acme.example")
    made.added("9", "other@acme.example")
    made.staff("77", "jo@acme.example", employee="E77", name="Jo", at=T0 + 2 * DAY, ends=T0 + DAY)
    made.removed("7", at=T0 + 3 * DAY)
    return made


def story(asked: str, made: Company | None = None, app_id: str | None = None) -> TeammateStory:
    log = log_of(topics_of(made or company()))
    return asyncio.run(explain(lambda: log, AVRO, TENANT, asked, app_id=app_id, on_progress=lambda *_: None))


def kinds(found: TeammateStory) -> list[str]:
    return [each.kind for each in found.steps]


def test_an_account_has_its_own_facts_and_its_owners_and_what_followed():
    found = story("7")
    assert found.accounts == (("ws1", "7"),)
    assert found.records == (("hr", "77"), ("idp", "j"))
    assert kinds(found) == [
        "staff.record",
        "staff.record",
        "admin.added",
        "account.linked",
        "admin.seen",
        "staff.record",
        "admin.removed",
    ]
    added, left, removed = found.steps[2], found.steps[5], found.steps[6]
    assert {(each.check, each.before, each.result) for each in added.answers} >= {("C1", None, "PASS"), ("C2", None, "PASS")}
    assert ("C2", "PASS", "FAIL") in {(each.check, each.before, each.result) for each in left.answers}
    assert [(each.check, each.happened) for each in left.findings] == [("C2", "opened")]
    assert all(each.sha256 for each in left.findings[0].evidence)
    assert [(each.check, each.happened, each.closed_for) for each in removed.findings] == [("C2", "closed", "fixed")]
    assert found.answers == ()
    assert added.says["addresses"] == ["Jo@ACME.example"] or added.says["addresses"] == ("Jo@ACME.example",)


def test_steps_name_the_fact_its_hash_and_the_ledgers_entry():
    made = company()
    ledger = {entry["fact"]: entry for entry in made.ledger()}
    for step in story("7", made).steps:
        assert (step.sha256, step.entry, step.hash) == tuple(
            ledger[step.fact][name] for name in ("value_sha256", "sequence", "hash")
        )
        assert made.log[step.offset].offset == step.offset


def test_an_address_means_every_account_that_has_or_had_it_and_those_linked_to_its_owner():
    found = story("jo@acme.example")
    assert found.accounts == (("ws1", "7"), ("ws1", "8"))
    assert story("jo.private@home.example").accounts == found.accounts
    assert story("hr/77").accounts == (("ws1", "7"), ("ws1", "8"))
    assert [(row.account, row.check) for row in found.answers if row.check == "C2"] == [("8", "C2")]


def test_a_policy_that_changes_an_answer_is_part_of_the_story_and_one_that_does_not_is_none():
    made = Company()
    made.staff("77", "jo@acme.example", roles=("Support",))
    made.added("7", "jo@acme.example")
    made.policy(everyone())
    made.policy(everyone(), everyone("ws2"))
    steps = story("7", made).steps
    assert [each.kind for each in steps] == ["staff.record", "admin.added", "policy.applied"]
    assert "C4" in {each.check for each in steps[2].answers}


def test_alias_domains_lead_to_the_owner():
    made = Company()
    made.add(settings(aliases={"acme.test": "acme.example"}))
    made.staff("77", "jo@acme.example")
    made.added("7", "jo@acme.test")
    assert story("7", made).records == (("hr", "77"),)


def test_the_same_account_in_another_workspace_can_be_left_out():
    made = company()
    made.add(admin("admin.added", "7", "jo@acme.example", app="ws2"))
    assert story("7", made).accounts == (("ws1", "7"), ("ws2", "7"))
    assert story("7", made, "ws2").accounts == (("ws2", "7"),)


def test_somebody_whom_no_fact_knows_is_an_error_that_says_where_to_look():
    with pytest.raises(BadConfiguration, match="access list"):
        story("nobody@acme.example")


def test_in_words_observations_that_changed_nothing_are_counted():
    found = story("7")
    lines = lines_of(found, show_all=False)
    assert "  … 1 observation that changed nothing" in lines
    assert not any("admin.seen" in line for line in lines)
    assert any("admin.seen" in line for line in lines_of(found, show_all=True))
    assert any(line.startswith("  → finding ") and " opened: " in line for line in lines)
    assert any("C2 of account 7: PASS → FAIL" in line for line in lines)
    assert "acme" not in repr(found).replace("'acme'", "")


def test_an_export_says_itself_whose_it_is_and_files_without_a_head_do_not(tmp_path: Path):
    write(tmp_path / "files", somebody_left())
    words = ["access", "explain", "7", "--files", str(tmp_path / "files"), "--json"]
    without = CliRunner().invoke(root, words)
    assert (without.exit_code, "say with --tenant" in without.output) == (2, True)
    head = LedgerHead(tenant=TENANT, entries=4, hash="", partition=0, offset=3, log_time=0, taken=0, cluster="", product="")
    write_head(tmp_path / "files" / HEAD, head)
    assert json.loads(CliRunner().invoke(root, words).stdout)["accounts"] == [["ws1", "7"]]
