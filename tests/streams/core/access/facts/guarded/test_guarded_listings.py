"""Complete listings under a guard against a naive model, after each fact: what is refused, waits, is confirmed or void, and who is there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.access.facts import Fact
from streams.core.access.processing import snapshot_stages, teammate_stages
from streams.core.access.state.tenant import TenantState
from tests.streams.core.access.facts.guarded.histories import SUBJECTS, GuardedHistory, files, teammates
from tests.streams.core.access.facts.guarded.naive import FileListings, TeammateListings
from tests.support.company import APP, TENANT, Company, everyone, settings

SEEDS = 40


def followed(history: GuardedHistory) -> Iterator[tuple[Company, int, Fact]]:
    """Yield the company after each fact, by the rules of version 5."""
    company = Company()
    guard = {"heads": history.heads, "percent": history.percent}
    company.clock = history.entries[0][0] - 10_000
    company.add(settings(workspaces=(APP,), further={"rules": '"5"', "guard": json.dumps(guard)}))
    company.policy(everyone())
    for at, fact in history.entries:
        company.add(fact, at=at)
        yield company, company.clock, fact


def answered(company: Company) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return the rows by check and account."""
    return {(row["check"], row["account"]): row for row in company.states().values()}


def shown(company: Company, check: str) -> dict[str, str]:
    """Return the parameters of the check's latest event."""
    latest = [each for each in company.findings() if each["unmapped"]["check"] == check][-1]
    return {each["name"]: each["value"] for each in latest["compliance"]["control_parameters"]}


def answers_about_teammates(company: Company, model: TeammateListings) -> list[tuple[object, object]]:
    """Return pairs of what the agent answers and what the model does."""
    rows, problem = answered(company), model.problem
    s1, s2 = rows.get(("S1", None)), rows.get(("S2", None))
    here = {account for (check, account), row in rows.items() if check == "C1" and row["reason"] != "presence_unsettled"}
    reason = f"snapshot_{problem.reason}" if problem else "snapshot_applied" if model.applied else None
    covered = f"snapshot_{problem.reason}" if problem else "complete" if model.applied else "no_complete_snapshot"
    pairs: list[tuple[object, object]] = [
        (s1 and s1["reason"], reason),
        (company.coverage()[APP]["reason"], covered),
        (s2 and s2["result"], None if model.missed is None else "FAIL" if model.missed else "PASS"),
        (here, model.present()),
    ]
    return [*pairs, (shown(company, "S1")["snapshot"], problem.id)] if problem else pairs


def differing_lists(seed: int) -> list[str]:
    history = teammates(seed)
    model, at = TeammateListings(history.heads, history.percent), 0
    for at, (company, now, fact) in enumerate(followed(history)):
        model.follow(now, fact)
        wrong = [pair for pair in answers_about_teammates(company, model) if pair[0] != pair[1]]
        if wrong:
            return [f"seed {seed}, after fact {at}, {fact.kind}: {found}, not {right}" for found, right in wrong]
    company.tick(company.clock)  # what is to be discarded goes before the next fact
    left = {key.partition("|")[2] for key, _ in TenantState(company.table, TENANT).backlog.teammate_snapshots.stagings.walk()}
    return [] if left == set(model.staged) else [f"seed {seed}: {left} are staged, not {set(model.staged)}"]


def differing_files(seed: int) -> list[str]:
    history = files(seed)
    model = FileListings(history.heads, history.percent)
    for at, (company, now, fact) in enumerate(followed(history)):
        had = model.problem
        model.follow(now, fact)
        model.answered |= had is not None and model.problem is None
        rows = answered(company)
        s3 = rows.get(("S3", None))
        pairs: list[tuple[object, object]] = [
            (s3 and s3["result"], "FAIL" if model.problem else "PASS" if model.answered else None)
        ]
        if model.problem:
            counted = shown(company, "S3")
            pairs.append(((counted["absent"], counted["heads"]), (str(model.problem.absent), str(model.problem.heads))))
        for record in SUBJECTS:
            c1, c2 = rows.get(("C1", record)), rows.get(("C2", record))
            if c1 is None or c2 is None or record not in model.ends:
                continue
            gone = model.is_withdrawn(record)
            pairs += [
                (c1["result"], "FAIL" if gone else "PASS"),
                (c2["result"], "UNKNOWN" if gone else "FAIL" if model.has_left(record, now) else "PASS"),
            ]
        wrong = [pair for pair in pairs if pair[0] != pair[1]]
        if wrong:
            return [f"seed {seed}, after fact {at}, {fact.kind}: {found}, not {right}" for found, right in wrong]
    return []


@pytest.mark.parametrize("seeds", [range(first, first + SEEDS // 4) for first in range(0, SEEDS, SEEDS // 4)], ids=str)
@pytest.mark.parametrize("differing", [differing_lists, differing_files])
def test_listings_under_a_guard_are_as_the_naive_model_has_them(differing, seeds):
    assert [sentence for seed in seeds for sentence in differing(seed)] == []


@pytest.mark.parametrize(
    ("module", "name", "differing"),
    [(teammate_stages, "_waits_behind", differing_lists), (snapshot_stages, "waits_behind", differing_files)],
)
def test_the_model_notices_where_older_news_takes_the_place_of_later(monkeypatch, module, name, differing):
    monkeypatch.setattr(module, name, lambda *_: None)
    assert any(differing(seed) for seed in range(SEEDS))
