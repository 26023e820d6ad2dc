"""Decisions at the command line, with a worker's access agent on a real Kafka: each waits until the worker has come to it."""

import asyncio
import csv
import io
import json
from hashlib import sha256
from typing import Any

import pytest

from connectors.kafka.fact_log import append, fact_record
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from streams.cli.decisions.account import LINKS, Wanted, decide, plan
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.requester import Requester
from streams.core.access.state.observation import person_id
from streams.settings import KAFKA_ONLY, load
from tests.streams.cli.at_work import APP, at_work, company, happened, own
from tests.streams.cli.operator import Operator
from tests.support.company import AVRO, staff

WHY = ("--reason", "as agreed")


async def printed(operator: Operator, *words: str) -> Any:
    return await asyncio.to_thread(operator.printed, *words)


async def lines(operator: Operator, *words: str) -> list[Any]:
    result = await asyncio.to_thread(operator.types, *words, "--json")
    assert result.exception is None, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


async def checks(operator: Operator, account: str | None = "7") -> dict[str, str]:
    """Return the result of each check about an account, by `access list`."""
    found = [line for line in await lines(operator, "access", "list", "--tenant", operator.tenant) if line["account"] == account]
    return {name: answer["result"] for name, answer in found[0]["checks"].items()} if found else {}


@pytest.mark.asyncio
async def test_an_account_is_linked_unlinked_classified_and_each_is_undone(operator: Operator, cluster: KafkaSettings):
    async with at_work(cluster):
        await happened(operator, *company())
        linked = await printed(operator, "account", "link", "8", "hr/88", *WHY)
        assert (linked["outcome"], linked["replaces"], (await checks(operator, "8"))["C1"]) == ("applied", None, "PASS")
        again = await printed(operator, "account", "link", "8", person_id(operator.tenant, "hr", "88"), *WHY)
        assert (again["outcome"], again["decision"]) == ("unchanged", linked["decision"])
        unlinked = await printed(operator, "account", "unlink", "8", *WHY)
        assert (unlinked["replaces"], (await checks(operator, "8"))["C1"]) == (linked["decision"], "FAIL")
        await printed(operator, "account", "undo", "8", *WHY)
        assert (await checks(operator, "8"))["C1"] == "PASS"
        await printed(operator, "account", "unlink", "8", *WHY)
        shared = await printed(operator, "account", "classify", "8", "shared", *WHY)
        assert (await checks(operator, "8"))["C5"] == "FAIL"
        owned = await printed(operator, "account", "classify", "8", "shared", "--owner", "hr/88", *WHY)
        assert (owned["replaces"], (await checks(operator, "8"))["C5"]) == (shared["decision"], "PASS")
        await printed(operator, "account", "classify", "8", "none", *WHY)
        assert "C5" not in await checks(operator, "8")
    made = [fact for fact in await asyncio.to_thread(operator.log) if fact.kind.startswith("account.")]
    assert all(fact.person is not None and fact.person.text == "as agreed" and fact.person.actor for fact in made)


@pytest.mark.asyncio
async def test_of_two_who_decide_at_once_the_second_learns_what_came_first(operator: Operator, cluster: KafkaSettings):
    settings = load(str(operator.config), parts=KAFKA_ONLY)
    async with at_work(cluster):
        await happened(operator, *company())
        log = await DecisionLog.open(settings, operator.tenant)
        mine, yours = (Wanted(APP, "8", person_id(operator.tenant, "hr", record), LINKS) for record in ("88", "77"))
        first = await plan(log, [mine], Requester("ada", "ada"), "it is hers", operator.tenant)
        second = await plan(log, [yours], Requester("bo", "bo"), "it is his", operator.tenant)
        (applied,), (stale,) = await decide(log, first, operator.tenant), await decide(log, second, operator.tenant)
        assert (applied.outcome, stale.outcome) == ("applied", "stale")
        assert stale.instead is not None
        assert "ada decided at" in stale.instead
        assert "it is hers" in stale.instead
        shown = await asyncio.to_thread(operator.types, "account", "link", "8", "hr/88", *WHY)
        assert "nothing to do, ada decided" in shown.output


@pytest.mark.asyncio
async def test_a_failing_check_is_exempt_listed_and_revoked(operator: Operator, cluster: KafkaSettings):
    evidence = operator.file("ticket.txt", "T-1")
    async with at_work(cluster):
        await happened(operator, *company())
        until = ("--until", "2999-01-01T00:00:00Z", "--approver", "security lead")
        granted = await printed(operator, "exempt", "grant", "C2", "7", *until, "--evidence", evidence, *WHY)
        assert (granted["outcome"], (await checks(operator))["C2"]) == ("applied", "EXEMPT")
        (line,) = await lines(operator, "exempt", "list", "--tenant", operator.tenant)
        assert (line["check"], line["account"], line["state"], line["approver"], line["reason"]) == (
            "C2", "7", "in force", "security lead", "as agreed",
        )  # fmt: skip
        assert line["evidence_sha256"] == sha256(b"T-1").hexdigest()
        await printed(operator, "exempt", "revoke", line["id"], "--tenant", operator.tenant, *WHY)
        assert (await checks(operator))["C2"] == "FAIL"
        assert await lines(operator, "exempt", "list", "--tenant", operator.tenant) == []
        gone = await asyncio.to_thread(operator.types, "exempt", "revoke", line["id"], "--tenant", operator.tenant, *WHY)
        assert "No exemption" in str(gone.exception)
        again = await printed(operator, "exempt", "grant", "C2", "7", "--no-end", "--approver", "security lead", *WHY)
        assert again["outcome"] == "applied"


@pytest.mark.asyncio
async def test_a_finding_is_acknowledged_assigned_and_commented(operator: Operator, cluster: KafkaSettings):
    async with at_work(cluster):
        await happened(operator, *company())
        rows = await lines(operator, "access", "list", "--tenant", operator.tenant, "--check", "C1", "--result", "FAIL")
        uid = next(line["checks"]["C1"]["finding"] for line in rows if line["account"] == "8")
        whose = ("--tenant", operator.tenant)
        await printed(operator, "finding", "ack", uid, *whose, "--comment", "I ask them")
        await printed(operator, "finding", "assign", uid[:8], "--to", "team:it", *whose)
        for _ in range(2):
            assert (await printed(operator, "finding", "comment", uid, "no answer yet", *whose))["outcome"] == "applied"
        (line,) = [each for each in await lines(operator, "access", "list", *whose) if each["account"] == "8"]
        assert (line["checks"]["C1"]["handling"]["action"], line["checks"]["C1"]["handling"]["assignee"]) == (
            "commented",
            "team:it",
        )
        unknown = await asyncio.to_thread(operator.types, "finding", "ack", "00000000", *whose)
        assert "No finding 00000000 is open" in str(unknown.exception)


@pytest.mark.asyncio
async def test_the_source_that_is_right_is_decided_and_withdrawn(operator: Operator, cluster: KafkaSettings):
    whose = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *company())
        await printed(operator, "staff", "decide", "hr/77", "--source", "idp", *whose, *WHY)
        assert (await checks(operator))["C2"] == "PASS"
        unknown = await asyncio.to_thread(operator.types, "staff", "decide", "hr/77", "--source", "payroll", *whose, *WHY)
        assert "Its sources: hr, idp" in str(unknown.exception)
        await printed(operator, "staff", "decide", "hr/77", "--withdraw", *whose, *WHY)
        assert (await checks(operator))["C2"] == "FAIL"


@pytest.mark.asyncio
async def test_many_accounts_are_decided_from_a_file_once_what_it_has_was_shown(operator: Operator, cluster: KafkaSettings):
    file = operator.file("accounts.csv", "Account;Kind;Owner;Until\n8;shared;hr/88;\n9;external;;2999-01-01T00:00:00Z\n")
    async with at_work(cluster):
        await happened(operator, *company())
        shown = await asyncio.to_thread(operator.types, "account", "classify", "--file", file, *WHY)
        assert "Nothing is decided yet. The same command with --yes decides 2 of 2." in shown.output
        assert not [fact for fact in await asyncio.to_thread(operator.log) if fact.kind == "account.classified"]
        reports = await lines(operator, "account", "classify", "--file", file, "--yes", *WHY)
        assert [(each["account"], each["outcome"]) for each in reports] == [("8", "applied"), ("9", "applied")]
        reports = await lines(operator, "account", "classify", "--file", file, "--yes", *WHY)
        assert [each["outcome"] for each in reports] == ["unchanged", "unchanged"]
        linked = operator.file("links.csv", "account,staff\n9,hr/88\n")
        await lines(operator, "account", "link", "--file", linked, "--yes", *WHY)
        assert (await checks(operator, "9"))["C1"] == "PASS"


@pytest.mark.asyncio
async def test_the_list_and_the_queue_show_who_has_access_and_who_might_own_an_account(
    operator: Operator, cluster: KafkaSettings
):
    whose = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *company(), staff("99", "box@acme.example", name="Bo"), staff("98", "box@acme.example"))
        text = (await asyncio.to_thread(operator.types, "access", "list", "--csv", *whose, "--workspace", APP)).stdout
        rows = {row["account"]: row for row in csv.DictReader(io.StringIO(text))}
        assert (rows["7"]["address"], rows["7"]["name"], rows["7"]["role"]) == ("jo@acme.example", "Jo L", "Admin")
        assert (rows["7"]["C2 result"], rows["7"]["C2 reason"], rows[""]["C3 result"]) == ("FAIL", "employment_ended", "PASS")
        assert [
            line["account"] for line in await lines(operator, "access", "list", *whose, "--check", "C2", "--result", "FAIL")
        ] == ["7"]
        queue = {line["account"]: line for line in await lines(operator, "access", "queue", *whose)}
        assert set(queue) == {"8", "9"}
        assert (queue["8"]["reason"], {each["name"] for each in queue["8"]["candidates"]}) == ("ambiguous", {"Bo", None})
        assert [each["name"] for each in queue["9"]["candidates"]] == ["Al"]  # a plus tag is a hint, and no match
        shown = (await asyncio.to_thread(operator.types, "access", "queue", *whose)).output
        assert "Several active staff records have the account's address" in shown
        table = (await asyncio.to_thread(operator.types, "access", "list", *whose)).output
        assert "jo@acme.example" in table


@pytest.mark.asyncio
async def test_without_a_worker_a_decision_is_in_the_log_and_takes_effect_later(operator: Operator, cluster: KafkaSettings):
    await append(cluster, [fact_record(AVRO, fact) for fact in own(operator, *company())])
    waited = await asyncio.to_thread(operator.types, "account", "link", "8", "hr/88", *WHY, "--wait", "1")
    assert isinstance(waited.exception, Unavailable)
    assert "Is one running?" in str(waited.exception)
    again = await printed(operator, "account", "link", "8", "hr/88", *WHY)
    assert again["outcome"] == "unchanged"  # by its place in the log
    async with at_work(cluster):
        await happened(operator, staff("89", "ida@acme.example"))
        assert (await printed(operator, "account", "unlink", "8", *WHY))["replaces"] == again["decision"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("exempt", "grant", "C2", "7", "--no-end", "--approver", "lead"), "--reason"),
        (("exempt", "grant", "C2", "7", "--no-end", "--approver", "lead", "--reason", " "), "an exemption needs a reason"),
        (("exempt", "grant", "C2", "7", "--no-end", "--approver", "Pat", "--by", "pat", *WHY), "somebody else has to approve"),
        (("exempt", "grant", "C2", "7", "--until", "2020-01-01T00:00:00Z", "--approver", "lead", *WHY), "is in the past"),
        (("exempt", "grant", "C2", "7", "--approver", "lead", *WHY), "--until TIME, or --no-end"),
        (("exempt", "grant", "C2", "--no-end", "--approver", "lead", *WHY), "give ACCOUNT"),
        (("exempt", "grant", "C3", "7", "--no-end", "--approver", "lead", *WHY), "leave ACCOUNT out"),
        (("exempt", "grant", "C99", "7", "--no-end", "--approver", "lead", *WHY), "C99"),
        (
            ("exempt", "grant", "C2", "7", "--no-end", "--approver", "lead", "--evidence", "none.pdf", *WHY),
            "none.pdf cannot be read",
        ),
        (("exempt", "grant", "C2", "7", "--no-end", "--approver", "lead@acme.example", *WHY), "an id without address"),
        (("exempt", "grant", "C2", "7", "--no-end", "--approver", " ", *WHY), "an id without address"),
        (("account", "link", "7", "hr/77", "--by", "me@acme.example", *WHY), "an id without address"),
        (("account", "link", "7", *WHY), "Give ACCOUNT and STAFF"),
        (("account", "link", "7", "hr/none", *WHY), "No record of the staff is called 'hr/none'"),
        (("account", "classify", "7", "robot", *WHY), "robot"),
        (("account", "classify", "7", "external", "--until", "2020-01-01T00:00:00Z", *WHY), "is in the past"),
        (("account", "classify", "7", "external", "--until", "tomorrow", *WHY), "is no time with its zone"),
        (("account", "undo", "7", *WHY), "Nothing was decided about account 7"),
        (("access", "list", "--csv", "--json"), "exclude each other"),
    ],
    ids=str,
)
def test_a_decision_that_cannot_hold_is_refused_with_what_to_do(operator: Operator, words, problem):
    result = operator.types(*words)
    assert result.exit_code != 0
    assert problem in result.output + str(result.exception)
    assert operator.log() == []


def test_every_bad_line_of_a_file_is_named_and_nothing_is_decided(operator: Operator):
    rows = ("7,robot,,", "8,shared,,", ",service,,", "9,external,soon,", "9,service,,of-another")
    file = operator.file("bad.csv", "\n".join(("account,kind,until,workspace", *rows)))
    result = operator.types("account", "classify", "--file", file, "--yes", "--workspace", APP, *WHY)
    bad = [line.partition(":")[0].strip() for line in str(result.exception).splitlines()[1:]]
    assert bad == ["line 2", "line 4", "line 5", "line 6"]
    assert operator.log() == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "no column account, kind"), ("account\n7\n", "no column kind"), ("account,kind,x\n7,shared,1\n", "has a column x"), ("account,kind\n", "has no rows")],
)  # fmt: skip
def test_a_file_of_another_form_is_refused(operator: Operator, text, problem):
    result = operator.types("account", "classify", "--file", operator.file("form.csv", text), *WHY)
    assert problem in str(result.exception)
