"""Exemptions from what further checks find, among the facts of a history: drawn at random, few would be about anything."""

import random
from typing import Final

from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.further import staff
from tests.support.access_histories.grants import exemption_of
from tests.support.access_oracle.checks.further.answer import FAIL
from tests.support.access_oracle.checks.further.answers import further_answers
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, read_log
from tests.support.access_oracle.state import state_at

_BEYOND: Final = 10_000  # facts of any history before these


def with_further_exemptions(seed: int, entries: list[Entry]) -> list[Entry]:
    """Return the history in which operators accept some of what further checks find, each perhaps revoked and granted again."""
    build = HistoryBuilder(seed)
    build.draw, build.count = random.Random(f"further exemptions {seed}"), _BEYOND
    made = list(entries)
    for number in range(build.draw.choice((0, 1, 2, 4, 6))):
        position = build.draw.randrange(len(made))
        for fact in _exemption(build, made[: position + 1], f"f{number}"):
            made.insert(position + 1, {"log_time": made[position]["log_time"], "fact": fact})
            position = build.draw.randint(position + 1, len(made) - 1)
    return [{**entry, "offset": offset} for offset, entry in enumerate(made)]


def _exemption(build: HistoryBuilder, entries: list[Entry], id_: str) -> list[FactDict]:
    """Return an exemption from something that fails, if anything does. A few decisions are stale."""
    log = read_log(entries)
    found = further_answers(state_at(log, log[-1].log_time, DEFAULT))
    failing = sorted(key for key, answer in found.items() if answer.result == FAIL and key[0].startswith("C"))
    if not failing:
        return []
    check = build.draw.choice(sorted({each for each, *_ in failing}))  # workspaces fail more often than accounts
    check, app_id, account = build.draw.choice([key for key in failing if key[0] == check])
    about = {"app_id": app_id, **({"account": account} if account else {})}
    if account and build.chance(0.3):
        about["staff"] = staff(build)
    facts, in_force = exemption_of(build, id_, check, about), None
    for fact in facts:
        stale = build.chance(0.06)
        if stale or in_force is not None:
            fact["replaces"] = "another" if stale else in_force
        in_force = in_force if stale or fact.get("void") else fact["id"]
        fact.pop("void", None)
    return facts
