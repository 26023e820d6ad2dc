"""The law about sources that stop to report: nothing passes, and nothing that is open closes."""

import copy
import json
from collections.abc import Sequence
from typing import Any

from tests.support.access_laws.answer import Answer
from tests.support.access_oracle.decided.decisions import decisions
from tests.support.access_oracle.freshness import stale_since
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, effective, read_log
from tests.support.access_oracle.state import state_at


def staleness(history: Sequence[Entry], answer: Answer) -> list[str]:
    """If every source has missed three intervals, C2 and C4 pass nowhere, and no finding closes: "Loss of data never closes a finding".

    Only C4 may give way to C2, whose deadline passes meanwhile: it is never stopped.
    """
    if not history:
        return []
    complete, silent = answer(history), answer([*history, *_three_missed_intervals(history)])
    broken = [
        f"{check} of {account} passes when all sources are stale"
        for account, rows in silent.accounts.items()
        for check in ("C2", "C4")
        if check in rows and rows[check].status == "PASS"
    ]
    still_open = {finding.subject for finding in silent.open}
    for check, app_id, account in sorted({finding.subject for finding in complete.open} - still_open, key=str):
        if check != "C4" or ("C2", app_id, account) not in still_open:
            broken.append(f"{check} of {account or app_id} closes when all sources are stale")
    return broken


def stale_sources(history: Sequence[Entry]) -> dict[str, int | None]:
    """Return since when each source is stale at the end of a history, None where it is fresh."""
    log = read_log(history)
    state = state_at(log, log[-1].log_time if log else 0, DEFAULT)
    return {source: stale_since(state, source) for source in sorted(state.observed_at)}


def _three_missed_intervals(history: Sequence[Entry]) -> list[Entry]:
    """Return settings that expect every source at each millisecond, and a tick at an instant at which none was observed just before."""
    facts = [entry["fact"] for entry in history]
    sources = sorted({fact["record"]["source"] for fact in facts if fact.get("record") and fact["kind"].startswith("staff.")})
    observed = {fact.get("time") for fact in facts} | {(fact.get("snapshot") or {}).get("requested") for fact in facts}
    last = read_log(history)[-1].log_time
    time = last + 4
    while observed & {time - 2, time - 1, time}:
        time += 3
    tick = {"id": "much later", "tenant": facts[0]["tenant"], "kind": "clock.ticked", "source": "c", "basis": "observed"}
    return [{"log_time": last, "fact": _expecting(history, sources)}, {"log_time": time, "fact": tick}]


def _expecting(history: Sequence[Entry], sources: Sequence[str]) -> dict[str, Any]:
    made = decisions(effective(read_log(history), DEFAULT)).get(("settings.applied",), [])
    content = copy.deepcopy(made[-1].fact["settings"]) if made else {"hash": "s"}
    each = {source: {"kind": "interval", "interval": 1} for source in sources}
    content["further"] = {**(content.get("further") or {}), "freshness": json.dumps(each)}
    fact = {"id": "every source", "tenant": history[0]["fact"]["tenant"], "kind": "settings.applied", "source": "c"}
    replaces = {"replaces": made[-1].fact["id"]} if made else {}
    return {**fact, "basis": "decided", "settings": content, **replaces}
