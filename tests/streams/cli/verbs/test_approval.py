"""`approval grant|revoke` with a worker's access agent on a real Kafka: access by a ticket passes while an approval is in force."""

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.access.facts import Rule
from schemas.errors import BadConfiguration
from streams.core.access.state.observation import person_id
from tests.streams.cli.operator import Operator
from tests.streams.cli.verbs.test_decisions import APP, WHY, at_work, checks, happened, printed
from tests.support.company import admin, policy, staff

JO = "jo@acme.example"
TICKET = ("--ticket", "ACC-1")
DOCUMENT = (Path(__file__).parents[4] / "docs" / "access.md").read_text(encoding="utf-8")


@pytest.mark.asyncio
async def test_access_by_a_ticket_passes_from_the_approval_to_its_revocation(operator: Operator, cluster: KafkaSettings):
    facts = [staff("77", JO), admin("admin.added", "7", JO, app=APP), policy(Rule(app_id=APP, validity="ticket"))]
    tenant = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *facts)
        assert (await checks(operator))["C4"] == "FAIL"
        granted = await printed(operator, "approval", "grant", "7", *TICKET, "--until", "2999-01-01T00:00:00Z", *WHY)
        assert (granted["outcome"], (await checks(operator))["C4"]) == ("applied", "PASS")
        stale = await asyncio.to_thread(
            operator.types, "approval", "revoke", granted["grant"], "--replaces", "another", *tenant, *WHY
        )
        assert stale.exit_code == 1
        assert "your decision has no effect, somebody decided a moment before you" in stale.output
        revoked = await printed(operator, "approval", "revoke", granted["grant"], *tenant, *WHY)
        assert (revoked["outcome"], (await checks(operator))["C4"]) == ("applied", "FAIL")
        gone = await asyncio.to_thread(operator.types, "approval", "revoke", granted["grant"], *tenant, *WHY)
        assert isinstance(gone.exception, BadConfiguration)
        assert "No approval" in str(gone.exception)
        again = await printed(operator, "approval", "grant", "--person", "hr/77", "--anywhere", *TICKET, "--no-end", *WHY)
        assert again["grant"] != granted["grant"]
        assert (await checks(operator))["C4"] == "PASS"
        taken = await asyncio.to_thread(
            operator.types, "approval", "grant", "8", *TICKET, "--no-end", "--id", again["grant"], *WHY
        )
        assert taken.exit_code == 1
        assert "your decision has no effect, it cannot hold" in taken.output
    made = [fact for fact in await asyncio.to_thread(operator.log) if fact.kind.startswith("approval.")]
    assert [fact.staff for fact in made if fact.account is None] == [person_id(operator.tenant, "hr", "77")]
    assert all(fact.person is not None and fact.person.text == "as agreed" and fact.person.actor for fact in made)


@pytest.mark.asyncio
async def test_the_commands_of_the_document_are_carried_out(operator: Operator, cluster: KafkaSettings):
    facts = [staff("77", JO), admin("admin.added", "7", JO, app=APP), policy(Rule(app_id=APP, validity="ticket"))]
    found = []
    async with at_work(cluster):
        await happened(operator, *facts)
        grant = ""
        for line in re.findall(r"^intercom-streams (approval .*)$", DOCUMENT, re.MULTILINE):
            words = [grant if word == "GRANT" else word for word in shlex.split(line)]
            tenant = ("--tenant", operator.tenant) if "revoke" in words else ()
            report = await printed(operator, *words, *tenant)
            grant = report["grant"]
            found.append((report["outcome"], (await checks(operator))["C4"]))
    assert found == [("applied", "PASS"), ("applied", "FAIL"), ("applied", "PASS")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--no-end",), "ACCOUNT, or --person"),
        (("7", "--person", "hr/77", "--no-end"), "ACCOUNT, or --person"),
        (("7", "--anywhere", "--no-end"), "--anywhere goes with --person"),
        (("7",), "--until TIME, or --no-end"),
        (("7", "--no-end", "--until", "2999-01-01T00:00:00Z"), "--until TIME, or --no-end"),
        (("7", "--until", "2020-01-01T00:00:00Z"), "is in the past"),
        (("7", "--until", "2999-01-01"), "no time with its zone"),
    ],
)
def test_an_approval_that_cannot_be_meant_is_refused(operator: Operator, words: tuple[str, ...], why: str):
    result = operator.types("approval", "grant", *TICKET, *words, *WHY)
    assert result.exit_code == 2
    assert why in result.output
