"""What an operator reads about access: nothing known is no PASS, every account that is not identified is in the queue, and names are texts."""

import asyncio

import msgspec
import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import Fact
from schemas.access.findings import CheckState
from schemas.errors import BadConfiguration
from streams.cli.access.known import outdated
from streams.core.access.state.observation import person_id
from tests.streams.cli.at_work import APP, at_work, company, happened
from tests.streams.cli.operator import Operator
from tests.streams.cli.verbs.test_decisions import lines, printed
from tests.support.company import DAY, SECOND, T0, admin, decision, staff


def test_nothing_known_is_not_shown_as_everybody_identified(operator: Operator):
    for verb in ("list", "queue"):
        result = operator.types("access", verb, "--tenant", operator.tenant)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "nothing is known yet: no check has answered, and that is no PASS" in result.stderr


@pytest.mark.parametrize("verb", ["list", "queue"])
def test_a_workspace_that_there_is_not_is_refused(operator: Operator, verb: str):
    result = operator.types("access", verb, "--tenant", operator.tenant, "--workspace", "abc1234")
    assert isinstance(result.exception, BadConfiguration)
    assert str(result.exception) == f"{operator.tenant} has no workspace 'abc1234'. Its workspaces: {APP}."


@pytest.mark.asyncio
async def test_the_queue_has_who_was_linked_to_nobody_known_and_says_when_it_is_empty(operator: Operator, cluster: KafkaSettings):
    whose, unknown = ("--tenant", operator.tenant), person_id(operator.tenant, "hr", "50")
    linked = [decision("account.linked", "12", staff=unknown), admin("admin.added", "12", "ida@acme.example", name="Ida")]
    in_doubt = [admin("admin.added", "13", "bo@acme.example", name="Bo"), admin("admin.removed", "13")]  # in one second
    async with at_work(cluster):
        await happened(operator, *(_of_workspace(fact) for fact in (*linked, *in_doubt)))
        line, without_finding = await lines(operator, "access", "queue", *whose)
        assert (line["account"], line["result"], line["reason"]) == ("12", "UNKNOWN", "staff_not_known")
        assert (without_finding["account"], without_finding["reason"], without_finding["finding"]) == (
            "13",
            "presence_unsettled",
            None,
        )
        assert (without_finding["name"], without_finding["address"]) == ("Bo", "bo@acme.example")
        shown = await asyncio.to_thread(operator.types, "access", "queue", *whose)
        assert "of whom no staff record has arrived yet" in shown.stdout
        assert "`intercom-streams account link ACCOUNT STAFF --reason TEXT`" in shown.stdout
        await happened(operator, staff("50", "ida@acme.example"), _of_workspace(admin("admin.removed", "13", at=T0 + DAY)))
        shown = await asyncio.to_thread(operator.types, "access", "queue", *whose)
        assert shown.stdout == "every account is identified\n"
        none = await asyncio.to_thread(operator.types, "access", "list", *whose, "--check", "C1", "--result", "FAIL")
        assert (none.stdout, none.stderr) == ("", "no account, and no workspace, has such an answer\n")


def test_answers_that_nobody_renewed_for_half_an_hour_are_said_to_be_old():
    row = CheckState(
        tenant="acme", check="coverage", app_id="ws1", result="PASS", reason="complete", since=0, rule_version="5", evaluated_through=T0
    )  # fmt: skip
    older = msgspec.structs.replace(row, app_id="ws2", evaluated_through=T0 - DAY)
    assert outdated([older, row], T0 + 30 * 60 * SECOND) is None
    assert "as of 2026-01-01T00:00:00Z: nothing was evaluated since" in (outdated([older, row], T0 + 31 * 60 * SECOND) or "")
    assert outdated([], T0) is None


@pytest.mark.asyncio
async def test_names_and_reasons_are_shown_as_they_are_and_command_no_terminal(operator: Operator, cluster: KafkaSettings):
    whose, why = ("--tenant", operator.tenant), "see [/wiki/1], " + "a long story " * 20
    named = admin("admin.added", "13", None, name="\x1b[2J\u202egone", role="[/Admin]")
    async with at_work(cluster):
        await happened(operator, *company(), _of_workspace(named))
        await printed(operator, "exempt", "grant", "C2", "7", "--no-end", "--approver", "lead", "--reason", why)
        exempt = (await asyncio.to_thread(operator.types, "exempt", "list", *whose)).stdout
        assert why.strip() in exempt
        for verb in ("list", "queue"):
            shown = (await asyncio.to_thread(operator.types, "access", verb, *whose)).stdout
            assert "\\x1b[2J\\u202egone" in shown
            assert "\x1b" not in shown
        assert "[/Admin]" in (await asyncio.to_thread(operator.types, "access", "list", *whose)).stdout
        story = (await asyncio.to_thread(operator.types, "access", "explain", "13", *whose)).stdout
        assert "\x1b" not in story


def _of_workspace(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, app_id=APP)
