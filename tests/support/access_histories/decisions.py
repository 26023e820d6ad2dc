"""Moves that decide something, and those of kinds that no check of this release uses. Each returns a few facts."""

import json
from typing import Any

from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.pools import (
    ALIAS_DOMAINS,
    DAY,
    EARLY,
    HOUR,
    INTERCOM_ROLES,
    INTERVALS,
    LATER_KINDS,
    LOG_START,
    ROLES,
    SOURCES,
    TENANT,
    WORKSPACES,
)
from tests.support.access_oracle.log import FactDict
from tests.support.access_oracle.registers import staff_id


def _decision_time(build: HistoryBuilder) -> int | None:
    """Return the time that a decision gives: mostly none."""
    if build.chance(0.75):
        return None
    return build.draw.choice((EARLY + DAY, LOG_START, LOG_START + 60_000, LOG_START + HOUR))


def link(build: HistoryBuilder) -> list[FactDict]:
    account = build.account()
    if build.chance(0.15):
        return [build.fact("account.unlinked", "o", "decided", time=_decision_time(build), **account)]
    staff = staff_id(TENANT, (build.draw.choice(build.sources), build.draw.choice(build.records)))
    return [build.fact("account.linked", "o", "decided", time=_decision_time(build), **account, staff=staff)]


def classify(build: HistoryBuilder) -> list[FactDict]:
    account = build.account()
    if build.chance(0.3):
        return [build.fact("account.unclassified", "o", "decided", time=_decision_time(build), **account)]
    kind = {"kind": build.draw.choice(("service", "shared", "system", "external"))}
    return [build.fact("account.classified", "o", "decided", time=_decision_time(build), **account, classification=kind)]


def policy(build: HistoryBuilder) -> list[FactDict]:
    rules = [_rule(build, app_id) for app_id in WORKSPACES if build.chance(0.8)]
    content = {"rules": rules, "hash": f"p{build.count}"}
    return [build.fact("policy.applied", "o", "decided", time=_decision_time(build), policy=content)]


def _rule(build: HistoryBuilder, app_id: str) -> dict[str, Any]:
    validity = build.draw.choice(
        ("all_staff", "staff_roles", "staff_roles", "staff_roles", "intercom_roles", "intercom_roles", "ticket")
    )
    rule: dict[str, Any] = {"app_id": app_id, "validity": validity}
    if validity == "staff_roles":
        rule["roles"] = build.draw.sample(ROLES, 1)
    if validity == "intercom_roles":
        rule["intercom_roles"] = {role: [build.draw.choice(INTERCOM_ROLES)] for role in build.draw.sample(ROLES, 1)}
    return rule


def settings(build: HistoryBuilder) -> list[FactDict]:
    content: dict[str, Any] = {"hash": f"s{build.count}", "further": {"unheard of": "1"} if build.chance(0.2) else {}}
    content["workspaces"] = sorted(WORKSPACES) if build.chance(0.85) else ["ws2"]
    if build.chance(0.5):
        content["alias_domains"] = dict(ALIAS_DOMAINS)
    if build.chance(0.4):
        content["precedence"] = build.draw.sample(SOURCES, 2)
    if build.chance(0.6):
        source = build.draw.choice(build.sources)
        content["further"]["absence"] = json.dumps({source: build.draw.choice(("ended", "ended", "withdrawn"))})
    if (freshness := _freshness(build)) is not None:
        content["further"]["freshness"] = freshness
    return [build.fact("settings.applied", "c", "decided", time=_decision_time(build), settings=content)]


def _freshness(build: HistoryBuilder) -> str | None:
    """Return how some sources report: intervals of which three pass within a history, and between its times before the log."""
    draw = build.second_draw
    if draw.random() < 0.4:
        return None
    interval = {"kind": "interval", "interval": draw.choice(INTERVALS)}
    declared = {source: draw.choice((interval, interval, interval, {"kind": "push"})) for source in build.sources}
    return json.dumps({source: how for source, how in declared.items() if draw.random() < 0.8})


def monitoring(build: HistoryBuilder) -> list[FactDict]:
    kind = "workspace.monitored" if build.chance(0.65) else "workspace.unmonitored"
    return [build.fact(kind, "o", "decided", time=_decision_time(build), app_id=build.draw.choice(build.workspaces))]


def unmonitored_for_a_while(build: HistoryBuilder) -> list[FactDict]:
    """A workspace leaves the configuration and comes back, soon or not."""
    app_id = build.draw.choice(build.workspaces)
    return [build.fact(f"workspace.{word}", "o", "decided", app_id=app_id) for word in ("unmonitored", "monitored")]


def tick(build: HistoryBuilder) -> list[FactDict]:
    return [build.fact("clock.ticked", "c", "observed", time=build.time())]


def later_kind(build: HistoryBuilder) -> list[FactDict]:
    """A fact of a kind that no check of this release uses, or the confirmation of no snapshot."""
    kind = build.draw.choice(LATER_KINDS)
    snapshot = {"id": f"A{build.draw.choice((1, 2))}", "source": "intercom", "requested": build.time()}
    grant = {
        "id": build.draw.choice("xy"),
        "check": build.draw.choice(("C1", "C2", "C4")),
        "starts": None,
        "expires": LOG_START + HOUR,
    }
    build.account(), build.address()  # drawn, so that a seed keeps its meaning
    parts: dict[str, dict[str, Any]] = {
        "snapshot.confirmed": {"snapshot": {**snapshot, "source": "hr"}},
        "staff.decided": {"staff": staff_id(TENANT, ("hr", "1")), "choice": {"field": "name", "source": "idp"}},
        "finding.handled": {"case": {"finding": "f", "action": "acknowledged"}},
        "calendar.set": {"calendar": {"id": "FR", "made_by": "hand", "valid_until": "2027-12-31"}},
        "rules.activated": {"rules": {"version": "2", "hash": "h"}},
    }
    if kind.startswith(("exemption.", "approval.")):
        parts[kind] = {**build.account(), "grant": grant}
    basis = "observed" if kind == "snapshot.confirmed" else "decided"
    return [build.fact(kind, "o", basis, **parts.get(kind, {}))]
