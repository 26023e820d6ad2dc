"""What stands already is not granted again, also where a verb is given again because no worker came to it."""

import asyncio
import json

import pytest

from connectors.kafka.fact_log import append, fact_record
from connectors.kafka.settings import KafkaSettings
from tests.streams.cli.at_work import APP, at_work, company, happened, own
from tests.streams.cli.operator import Operator
from tests.streams.cli.verbs.test_decisions import WHY, checks, lines, printed
from tests.support.company import AVRO

EXEMPT = ("exempt", "grant", "C2", "7", "--approver", "lead", *WHY)
APPROVE = ("approval", "grant", "10", "--ticket", "A", *WHY)
NO_END, LATE = ("--no-end",), ("--until", "2999-01-01T00:00:00Z")


@pytest.mark.parametrize("words", [(*EXEMPT, *NO_END), (*APPROVE, *LATE)], ids=lambda words: words[0])
def test_the_same_command_given_again_grants_once_also_without_a_worker(
    operator: Operator, cluster: KafkaSettings, words: tuple[str, ...]
):
    asyncio.run(append(cluster, [fact_record(AVRO, fact) for fact in own(operator, *company())]))
    operator.types(*words, "--wait", "0.1")
    again = operator.printed(*words, "--wait", "0.1")
    (made,) = [fact for fact in operator.log() if fact.kind.endswith(".granted")]
    assert (again["outcome"], again["decision"]) == ("unchanged", made.id)
    if words[0] == "exempt":
        (line,) = [operator.printed("exempt", "list", "--tenant", operator.tenant)]
        assert line["state"] == "waiting"


@pytest.mark.asyncio
async def test_an_exemption_that_holds_is_not_granted_again_and_one_that_says_otherwise_is(
    operator: Operator, cluster: KafkaSettings
):
    whose = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *company())
        first = await printed(operator, *EXEMPT, *NO_END)
        assert (await printed(operator, *EXEMPT, *NO_END))["outcome"] == "unchanged"
        second = await printed(operator, *EXEMPT, *LATE)
        assert (second["outcome"], (await printed(operator, *EXEMPT, *LATE))["outcome"]) == ("applied", "unchanged")
        revoked = await asyncio.to_thread(operator.types, "exempt", "revoke", first["grant"], *whose, *WHY)
        assert "no longer exempt by this grant" in revoked.stdout
        assert f"{second['grant']} is about the same check, and stands" in revoked.stderr
        assert (await checks(operator))["C2"] == "EXEMPT"
        last = await asyncio.to_thread(operator.types, "exempt", "revoke", second["grant"], *whose, *WHY)
        assert (last.stderr, (await checks(operator))["C2"]) == ("", "FAIL")
        assert (await printed(operator, *EXEMPT, *NO_END))["outcome"] == "applied"


@pytest.mark.asyncio
async def test_an_exemption_that_is_void_or_not_needed_is_granted_again(operator: Operator, cluster: KafkaSettings):
    async with at_work(cluster):
        await happened(operator, *company())
        await printed(operator, *EXEMPT, *NO_END)
        await printed(operator, "account", "classify", "7", "service", *WHY)  # what it was given for has changed
        assert (await checks(operator))["C2"] == "FAIL"
        assert (await printed(operator, *EXEMPT, *NO_END))["outcome"] == "applied"
        assert (await checks(operator))["C2"] == "EXEMPT"
        states = [line["state"] for line in await lines(operator, "exempt", "list", "--tenant", operator.tenant)]
        assert states[-1] == "in force"


@pytest.mark.asyncio
async def test_an_approval_that_stands_is_not_granted_again_but_under_an_id_of_its_own(
    operator: Operator, cluster: KafkaSettings
):
    whose = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *company())
        first = await printed(operator, *APPROVE, *NO_END)
        assert (await printed(operator, *APPROVE, *NO_END))["grant"] == first["grant"]
        assert (await printed(operator, *APPROVE, *NO_END, "--id", "mine"))["outcome"] == "applied"
        assert (await printed(operator, *APPROVE, *LATE))["outcome"] == "applied"
        await printed(operator, "approval", "revoke", first["grant"], *whose, *WHY)
        assert (await printed(operator, *APPROVE, *NO_END))["outcome"] == "unchanged"  # the one under an id of its own stands
        await printed(operator, "approval", "revoke", "mine", *whose, *WHY)
        assert (await printed(operator, *APPROVE, *NO_END))["outcome"] == "applied"


def test_the_preview_shows_whole_decisions(operator: Operator, cluster: KafkaSettings):
    asyncio.run(append(cluster, [fact_record(AVRO, fact) for fact in own(operator, *company())]))
    file = operator.file("accounts.csv", "account,kind,owner,until\n8,shared,hr/88,\n9,external,,2999-01-01T00:00:00Z\n")
    shown = operator.types("account", "classify", "--file", file, "--workspace", APP, *WHY).stdout
    assert "shared owner hr/88" in shown
    assert "external until 2999-01-01T00:00:00.000Z" in shown
    lines = operator.types("account", "classify", "--file", file, "--workspace", APP, *WHY, "--json").stdout.splitlines()
    assert json.loads(lines[0]) == {"app_id": APP, "account": "8", "now": "-", "then": "shared owner hr/88", "changes": True}
    assert len(lines) == 2
