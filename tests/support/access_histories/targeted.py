"""Decisions about findings that there are: exemptions from them, approvals, and what operators did about them.

Drawn at random, few of these would be about anything. So the oracle is asked what is open where.
"""

from typing import Any

from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.grants import approval_of, exemption_of
from tests.support.access_histories.parts import APPROVALS, EXEMPTIONS, HANDLED
from tests.support.access_oracle.answers import walk
from tests.support.access_oracle.log import Entry, FactDict
from tests.support.access_oracle.results import Answers, Finding


def with_targeted_decisions(build: HistoryBuilder, entries: list[Entry], parts: frozenset[str]) -> list[Entry]:
    """Return the history in which operators decide about some of its findings, if that is among the parts."""
    if not parts & {EXEMPTIONS, APPROVALS, HANDLED} or not build.chance(0.6):
        return entries
    steps = list(walk(entries))
    for number in range(build.draw.choice((1, 2, 3))):
        position = build.draw.randrange(len(steps))
        facts = _about(build, steps[position], number, parts)
        for fact in facts:
            entries.insert(position + 1, {"log_time": entries[position]["log_time"], "fact": fact})
            steps.insert(position + 1, steps[position])
            position = build.draw.randint(position + 1, len(entries) - 1)
    return entries


def _about(build: HistoryBuilder, step: Answers, number: int, parts: frozenset[str]) -> list[FactDict]:
    """Return what is decided about one finding."""
    findings = sorted((*step.open, *step.closed), key=lambda finding: (*map(str, finding.subject), finding.created))
    if not findings:
        return []
    finding = build.draw.choice(findings)
    by_ticket = [f for f in findings if f.check == "C4" and f.reason in ("no_approval", "approval_ended")]
    move = build.draw.choice(sorted(parts & {EXEMPTIONS, APPROVALS, HANDLED}))
    if move == APPROVALS and by_ticket:
        about: dict[str, Any] = {"app_id": by_ticket[0].app_id, "account": by_ticket[0].account}
        if build.chance(0.4) and by_ticket[0].person:
            about = {"staff": by_ticket[0].person}
        return approval_of(build, f"t{number}", about)
    if move == EXEMPTIONS:
        about = {"app_id": finding.app_id}
        if finding.account is not None:
            about["account"] = finding.account
            if finding.person and build.chance(0.4):
                about["staff"] = finding.person
        return exemption_of(build, f"t{number}", finding.check, about)
    return _handled(build, finding) if move == HANDLED and finding.uid else []


def _handled(build: HistoryBuilder, finding: Finding) -> list[FactDict]:
    facts = []
    for action in build.draw.choice((("acknowledged",), ("assigned",), ("commented", "acknowledged"))):
        case = {"finding": finding.uid if build.chance(0.9) else "none", "action": action}
        if action == "assigned":
            case["assignee"] = "somebody"
        about = {"app_id": finding.app_id, "account": finding.account}
        facts.append(build.fact("finding.handled", "o", "decided", **about, case=case, person={"text": "a comment"}))
    return facts
