"""What was added later to a history: grace, windows, grants, calendars and the like, without changing what a seed meant before."""

import random
from collections.abc import Callable
from typing import Final

from tests.support.access_histories import parts as part_of
from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.chosen_roles import with_chosen_roles
from tests.support.access_histories.grants import approval_facts, exemption_facts
from tests.support.access_histories.pools import (
    CALENDARS,
    DAY,
    HOUR,
    INTERCOM_ROLE_IDS,
    INTERCOM_ROLES,
    LOG_START,
    ROLES,
    TENANT,
    ZONES,
)
from tests.support.access_histories.targeted import with_targeted_decisions
from tests.support.access_oracle.decided.decisions import subject_of
from tests.support.access_oracle.log import Entry, FactDict, LoggedFact
from tests.support.access_oracle.registers import staff_id

CHECKS: Final = ("C1", "C2", "C4", "C5")


def with_further_parts(build: HistoryBuilder, entries: list[Entry], parts: frozenset[str]) -> list[Entry]:
    """Return the history with what these parts of the access answers add: to its facts, and as facts among them."""
    if not parts:
        return entries
    facts = {entry["fact"]["id"]: entry["fact"] for entry in entries}  # a repeated fact is the same in every byte
    for part, enrich in _ENRICHED:
        build.draw = random.Random(f"{part} {build.seed}")  # so that no part changes what another one draws
        for fact in facts.values() if part in parts else ():
            enrich(build, fact)
    entries = [{**entry, "fact": facts[entry["fact"]["id"]]} for entry in entries]
    for part, make in _MADE:
        build.draw = random.Random(f"{part} among the facts {build.seed}")
        for made in make(build) if part in parts else ():
            _insert(build, entries, made)
    build.draw = random.Random(f"time passes {build.seed}")
    _let_time_pass(build, entries)
    entries = with_targeted_decisions(build, entries, parts)
    _say_what_is_replaced(build, entries)
    if part_of.CHOSEN in parts:
        entries = with_chosen_roles(build, entries)
    return [{**entry, "offset": offset} for offset, entry in enumerate(entries)]


def _insert(build: HistoryBuilder, entries: list[Entry], made: list[FactDict]) -> None:
    """Insert facts among the others, in this order, each at the log time of the fact before it."""
    after = 1
    for fact in made:
        after = build.draw.randint(after, len(entries))
        entries.insert(after, {"log_time": entries[after - 1]["log_time"], "fact": fact})
        after += 1


def _let_time_pass(build: HistoryBuilder, entries: list[Entry]) -> None:
    """Often let hours or days pass: between two facts, and at the end."""
    if build.chance(0.3):
        later = build.draw.choice((HOUR + 7, 5 * HOUR + 7, DAY + 7))
        position = build.draw.randrange(len(entries))
        for entry in entries[position:]:
            entry["log_time"] += later
    time = max(entry["log_time"] for entry in entries)
    for step in build.draw.choice(((), (2 * HOUR + 7,), (DAY + 7,), (30 * 60_000 + 7, 6 * HOUR), (DAY, 3 * DAY))):
        time += step
        entries.append({"log_time": time, "fact": build.fact("clock.ticked", "c", "observed", time=time)})


def _say_what_is_replaced(build: HistoryBuilder, entries: list[Entry]) -> None:
    """Let the grants and the like name what they replace; a few are stale. Decisions of the first parts have it already."""
    in_force: dict[tuple[str, ...], str] = {}
    for position, entry in enumerate(entries):
        fact = entry["fact"]
        subject = subject_of(LoggedFact(position, entry["log_time"], fact))
        if subject is None or subject[0] not in ("exemption", "approval", "decided", "monitoring.started"):
            continue
        if fact["id"] not in in_force.values():
            fact.pop("replaces", None)
            stale = build.chance(0.06)
            if stale or subject in in_force:
                fact["replaces"] = "another" if stale else in_force[subject]
            if not stale and not fact.get("void"):
                in_force[subject] = fact["id"]
        fact.pop("void", None)


def _grace_and_windows(build: HistoryBuilder, fact: FactDict, *, grace: bool, windows: bool, ruled: bool) -> None:
    if fact["kind"] != "policy.applied":
        return
    rules: list[FactDict] = fact["policy"]["rules"]
    for rule in list(rules):
        if ruled and rule["validity"] == "intercom_roles":
            names = (*INTERCOM_ROLES, *INTERCOM_ROLE_IDS.values())
            rule["intercom_roles"] = {
                role: build.draw.sample(names, 1) for role in build.draw.sample(ROLES, build.draw.choice((1, 1, 2)))
            }
        if grace and build.chance(0.6):
            rule["grace"] = {check: _grace(build) for check in CHECKS if build.chance(0.6)}
        if windows and build.chance(0.35):
            rule.update(_window(build))
            if build.chance(0.5):
                another = {**rule, **_window(build), "validity": "all_staff"}
                rules.insert(build.draw.randint(0, len(rules)), another)


def _grace(build: HistoryBuilder) -> FactDict:
    unit = build.draw.choice(("hours", "hours", "days", "business_days"))
    amounts = {"hours": (1, 2, 5, 30, 240), "days": (1, 3, 7, 10), "business_days": (1, 2, 4, 6)}[unit]
    return {"amount": build.draw.choice(amounts), "unit": unit}


def _window(build: HistoryBuilder) -> FactDict:
    """A start, an end, or both, near the log's time; never one after the other."""
    bounds = sorted(
        build.draw.sample(
            (LOG_START - DAY, LOG_START + 1_800_011, LOG_START + HOUR, LOG_START + 5 * HOUR, LOG_START + 30 * HOUR), 2
        )
    )
    starts, until = build.draw.choice(((bounds[0], None), (None, bounds[1]), tuple(bounds)))
    return {"starts": starts, "until": until}


def _with_grace(build: HistoryBuilder, fact: FactDict) -> None:
    _grace_and_windows(build, fact, grace=True, windows=False, ruled=False)
    if fact["kind"] == "settings.applied" and build.chance(0.5):
        fact["settings"]["further"]["calendar"] = build.draw.choice((*CALENDARS, "none such"))
    if fact.get("record") and fact["kind"].startswith("staff.") and build.chance(0.3):
        named = {"zone": build.draw.choice((*ZONES, None)), "calendar": build.draw.choice((*CALENDARS, None))}
        for name in build.draw.choice((("zone",), ("calendar",), ("zone", "calendar"))):
            fact["record"]["asserts"] = sorted({*fact["record"]["asserts"], name})
            fact["record"][name] = named[name]


def _with_windows(build: HistoryBuilder, fact: FactDict) -> None:
    _grace_and_windows(build, fact, grace=False, windows=True, ruled=False)


def _with_role_rules(build: HistoryBuilder, fact: FactDict) -> None:
    _grace_and_windows(build, fact, grace=False, windows=False, ruled=True)
    if (fact.get("admin") or {}).get("role_name"):
        fact["admin"]["role_id"] = INTERCOM_ROLE_IDS[fact["admin"]["role_name"]]


def _withdrawn(build: HistoryBuilder, fact: FactDict) -> None:
    """Let a source say of some records that it no longer has them, each at a time of its own: what a tie means is open."""
    if fact["kind"] == "staff.record" and build.chance(0.08):
        fact["record"]["asserts"] = sorted({*fact["record"]["asserts"], "status"})
        fact["record"]["status"] = "withdrawn"
        fact["time"] += 7


def _with_governance(build: HistoryBuilder, fact: FactDict) -> None:
    if fact["kind"] != "account.classified":
        return
    content = fact["classification"]
    if build.chance(0.12):
        content["kind"] = "person"
    if build.chance(0.6):
        content["owner"] = staff(build)
    if content["kind"] == "external" and build.chance(0.6):
        content["expires"] = build.draw.choice(
            (LOG_START - HOUR, LOG_START + HOUR // 2, LOG_START + 3 * HOUR, LOG_START + 40 * DAY)
        )


def staff(build: HistoryBuilder) -> str:
    """Return a staff reference: mostly one of the history's records."""
    return staff_id(TENANT, (build.draw.choice(build.sources), build.draw.choice(build.records)))


def _approvals_enriched(build: HistoryBuilder, fact: FactDict) -> None:
    """Let more workspaces have a policy by tickets."""
    for rule in fact["policy"]["rules"] if fact["kind"] == "policy.applied" else ():
        if build.chance(0.25):
            rule["validity"] = "ticket"


def _calendars(build: HistoryBuilder) -> list[list[FactDict]]:
    made = []
    for _ in range(build.draw.choice((0, 1, 2, 3))):
        id_, calendar = build.draw.choice(list(CALENDARS.items()))
        content = {"id": id_, "made_by": "hand", **calendar}
        if build.chance(0.2):
            content["valid_until"] = "2026-01-09"
        made.append([build.fact("calendar.set", "c", "decided", calendar=content)])
    return made


def _staff_decided(build: HistoryBuilder) -> list[list[FactDict]]:
    made = []
    for _ in range(build.draw.choice((0, 0, 1, 1, 2))):
        reference = staff(build)
        choices = [build.draw.choice((*build.sources, None)) for _ in range(build.draw.choice((1, 1, 2)))]
        made.append(
            [
                build.fact("staff.decided", "o", "decided", staff=reference, choice={"field": "employment", "source": source})
                for source in choices
            ]
        )
    return made


def _monitoring_started(build: HistoryBuilder) -> list[list[FactDict]]:
    return [[build.fact("monitoring.started", "o", "decided")]] if build.chance(0.3) else []


def _exemptions(build: HistoryBuilder) -> list[list[FactDict]]:
    return exemption_facts(build, staff)


def _approvals(build: HistoryBuilder) -> list[list[FactDict]]:
    return approval_facts(build, staff)


_ENRICHED: Final[tuple[tuple[str, Callable[[HistoryBuilder, FactDict], None]], ...]] = (
    (part_of.APPROVALS, _approvals_enriched),
    (part_of.ROLES, _with_role_rules),
    (part_of.GRACE, _with_grace),
    (part_of.WINDOWS, _with_windows),
    (part_of.CLASSIFIED, _with_governance),
    (part_of.WITHDRAWN, _withdrawn),
)
_MADE: Final[tuple[tuple[str, Callable[[HistoryBuilder], list[list[FactDict]]]], ...]] = (
    (part_of.GRACE, _calendars),
    (part_of.EXEMPTIONS, _exemptions),
    (part_of.APPROVALS, _approvals),
    (part_of.DECIDED, _staff_decided),
    (part_of.BASELINE, _monitoring_started),
)
