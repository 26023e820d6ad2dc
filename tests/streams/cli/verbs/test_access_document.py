"""The commands about decisions in docs/access.md, run as shown and in that order, with a worker's access agent on a real Kafka."""

import asyncio
import json
import re
import shlex
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.streams.cli.at_work import at_work, company, happened
from tests.streams.cli.operator import Operator

DOCUMENT = (Path(__file__).parents[4] / "docs" / "access.md").read_text(encoding="utf-8")
DECIDING = {"account", "exempt", "finding"}
OTHERS = {("access", "list"), ("access", "queue"), ("staff", "decide")}
BY_WORKSPACE = {"account", "exempt grant"}


def shown() -> list[list[str]]:
    """Return the commands of the document that decide, or show what was decided, each as words."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    words = [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.startswith("intercom-streams ")]
    return [each for each in words if each[0] in DECIDING or tuple(each[:2]) in OTHERS]


async def in_this_company(operator: Operator, words: list[str]) -> list[str]:
    """Fill in what a command leaves to its reader: files, the id of a grant, the uid of a finding, whose it is."""
    (operator.folder / "accounts.csv").write_text(re.search(r"^```csv\n(account.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)[1])  # type: ignore[index]
    (operator.folder / "ticket.txt").write_text("T-1")
    tenant = [] if words[0] == "account" or words[:2] == ["exempt", "grant"] else ["--tenant", operator.tenant]
    filled = [str(operator.folder / each) if each in ("accounts.csv", "ticket.txt") else each for each in words]
    if "GRANT" in filled:
        (line,) = await _lines(operator, "exempt", "list", "--tenant", operator.tenant)
        filled[filled.index("GRANT")] = line["id"]
    if "FINDING" in filled:
        rows = await _lines(operator, "access", "list", "--tenant", operator.tenant, "--check", "C2", "--result", "EXEMPT")
        filled[filled.index("FINDING")] = rows[0]["checks"]["C2"]["finding"]
    return [*filled, *tenant]


async def _lines(operator: Operator, *words: str) -> list[dict]:
    result = await asyncio.to_thread(operator.types, *words, "--json")
    assert result.exception is None, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.asyncio
async def test_every_command_about_decisions_does_what_the_document_says(operator: Operator, cluster: KafkaSettings):
    commands = shown()
    assert {" ".join(words[:2]) for words in commands} == {
        "access list", "access queue", "account link", "account unlink", "account undo", "account classify", "exempt grant",
        "exempt list", "exempt revoke", "finding ack", "finding assign", "finding comment", "staff decide",
    }  # fmt: skip
    async with at_work(cluster):
        await happened(operator, *company())
        for words in commands:
            result = await asyncio.to_thread(operator.types, *await in_this_company(operator, words))
            assert (result.exit_code, result.exception) == (0, None), (words, result.output)
        outcomes = [fact.kind for fact in await asyncio.to_thread(operator.log)]
        lines = {line["account"]: line for line in await _lines(operator, "access", "list", "--tenant", operator.tenant)}
    assert outcomes.count("account.classified") == 3  # of the two in the file one was decided before
    results = {account: {name: each["result"] for name, each in line["checks"].items()} for account, line in lines.items()}
    assert (results["7"]["C2"], results["8"]["C5"], results["9"]["C5"]) == ("EXEMPT", "PASS", "PASS")
    assert lines["7"]["checks"]["C2"]["handling"]["assignee"] == "team:it"
