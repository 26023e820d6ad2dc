"""Facts about what operators did about a finding: they name one that the oracle has open there, or none that there is."""

from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_oracle.answers import walk
from tests.support.access_oracle.interpretation import HANDLED, Interpretation
from tests.support.access_oracle.log import Entry


def with_handling(build: HistoryBuilder, entries: list[Entry], parts: frozenset[str]) -> list[Entry]:
    """Return the history in which operators handle some findings, if that is among the parts."""
    if HANDLED not in parts or not build.chance(0.4):
        return entries
    steps = list(walk(entries, interpretation=Interpretation(parts=parts)))
    for _ in range(build.draw.choice((1, 2, 3))):
        position = build.draw.randrange(len(steps))
        findings = [f for f in (*steps[position].open, *steps[position].closed) if f.uid is not None]
        action = build.draw.choice(("acknowledged", "acknowledged", "assigned", "commented"))
        if not findings:
            continue
        finding = build.draw.choice(findings)
        case = {"finding": finding.uid if build.chance(0.9) else "none", "action": action}
        if action == "assigned":
            case["assignee"] = "somebody"
        about = {"app_id": finding.app_id, "account": finding.account}
        fact = build.fact("finding.handled", "o", "decided", **about, case=case, person={"text": "a comment"})
        entries.insert(position + 1, {"log_time": entries[position]["log_time"], "fact": fact})
        steps.insert(position + 1, steps[position])
    return [{**entry, "offset": offset} for offset, entry in enumerate(entries)]
