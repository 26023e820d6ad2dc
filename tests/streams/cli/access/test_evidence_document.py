"""The commands of docs/evidence.md about reports, controls and policies, run as shown on a real Kafka with a worker's access agent."""

import asyncio
import hashlib
import json
import re
import shlex
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.cloudevents import timestamp
from streams.core.access.reports.controls import STANDARDS
from tests.streams.cli.at_work import at_work, company, happened
from tests.streams.cli.operator import Operator

DOCUMENT = (Path(__file__).parents[4] / "docs" / "evidence.md").read_text(encoding="utf-8")
SHOWN = {("access", "report"), ("access", "controls"), ("policy", "what-if")}


def shown() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    words = [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.startswith("intercom-streams ")]
    return [each for each in words if tuple(each[:2]) in SHOWN]


def filled(operator: Operator, words: list[str], now: str) -> list[str]:
    """Let a command be about this company, whose log begins in the test, and write into its folder."""
    after = dict(pairwise(words))
    named = {
        "policy.toml": str(operator.folder / "policy.toml"),
        after.get("--output"): str(operator.folder / after.get("--output", "")),
        after.get("--as-of"): now,
        after.get("--to"): now,
    }
    return [named.get(word, word) for word in words] + ["--tenant", operator.tenant]


async def run(operator: Operator, *words: str):
    return await asyncio.to_thread(operator.types, *words)


@pytest.mark.asyncio
async def test_every_command_about_evidence_does_what_the_document_says(operator: Operator, cluster: KafkaSettings):
    commands = shown()
    assert {tuple(words[:2]) for words in commands} == SHOWN
    async with at_work(cluster):
        await happened(operator, *company())
        now = timestamp(time.time_ns() // 1_000_000)
        operator.file("policy.toml", "rules = []\n")
        before = await asyncio.to_thread(operator.log)
        for words in commands:
            result = await run(operator, *filled(operator, words, now))
            assert (result.exit_code, result.exception) == (0, None), (words, result.output)
        assert await asyncio.to_thread(operator.log) == before
        tried = await run(
            operator, "policy", "what-if", str(operator.folder / "policy.toml"), "--json", "--tenant", operator.tenant
        )
        listed = await run(operator, "access", "list", "--json", "--tenant", operator.tenant)
        controls = await run(operator, "access", "controls", "--json", "--tenant", operator.tenant)
    assert {(line["check"], line["account"]) for line in json.loads(tried.stdout)["opens"]} == {("C3", None)}
    made = (operator.folder / "report.json").read_bytes()
    report = json.loads(made)
    assert report["basis"]["as_of"] == now
    published = {
        (line["account"], check): row["result"]
        for line in map(json.loads, listed.stdout.splitlines())
        for check, row in line["checks"].items()
    }
    reported = {(line["account"], each["check"]): each["result"] for line in report["access"] for each in line["answers"]}
    reported |= {(None, each["check"]): each["result"] for line in report["workspaces"] for each in line["answers"]}
    assert reported == published
    page = pypdfium2.PdfDocument(operator.folder / "report.pdf")[0].get_textpage().get_text_bounded()
    assert hashlib.sha256(made).hexdigest() in page
    assert (operator.folder / "report.csv").read_text(encoding="utf-8").startswith("section,workspace,account,")
    assert {json.loads(line)["control"]["standard"] for line in controls.stdout.splitlines()} == set(STANDARDS)


@pytest.mark.asyncio
async def test_two_reports_of_one_instant_are_the_same_while_facts_go_on_arriving(operator: Operator, cluster: KafkaSettings):
    async with at_work(cluster):
        first, *others = company()
        await happened(operator, first)
        now = timestamp(time.time_ns() // 1_000_000)
        words = ("access", "report", "--as-of", now, "--tenant", operator.tenant)
        before = [(await run(operator, *words, "--format", form)).stdout_bytes for form in ("json", "csv", "pdf")]
        await happened(operator, *others)
        after = [(await run(operator, *words, "--format", form)).stdout_bytes for form in ("json", "csv", "pdf")]
    assert before == after
    place = json.loads(before[0])["basis"]["known_at"]
    again = json.loads((await run(operator, *words, "--known-at", str(place["offset"] + 100))).stdout_bytes or b"{}")
    assert again == {} or again["basis"]["later_facts"] > 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--as-of", "2026-03-31"), "no time with its zone"),
        (("--as-of", "2026-03-31T17:00:00"), "no time with its zone"),
        (("--as-of", "1999-01-01T00:00:00Z"), "the log of facts begins at 20"),
        (("--as-of", "2999-01-01T00:00:00Z"), "is still to come"),
        (("--as-of", "NOW", "--known-at", "99999999"), "does not reach offset 99999999"),
        (("--as-of", "NOW", "--known-at", "-1"), "-1"),
        (("--as-of", "NOW", "--from", "NOW"), "say when"),
        (("--from", "NOW"), "say when"),
        (("--from", "NOW", "--to", "NOW"), "has to be before"),
        ((), "say when"),
        (("--as-of", "NOW", "--format", "pdf", "--output", "nowhere/report.pdf"), "cannot be written"),
    ],
)
def test_what_no_report_can_be_about_is_refused(operator: Operator, words: tuple[str, ...], why: str):
    operator.printed(
        "policy",
        "apply",
        operator.file("p.toml", '[[rules]]\napp_id = "abc12345"\nvalidity = "all_staff"\n'),
        "--tenant",
        operator.tenant,
    )
    now = datetime.now(UTC).isoformat()
    result = operator.types("access", "report", "--tenant", operator.tenant, *(now if word == "NOW" else word for word in words))
    assert result.exit_code != 0
    assert why in f"{result.output} {result.exception}"
