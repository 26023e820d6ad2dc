"""Histories with everything that the oracle does not know: further checks switched on, entries of the activity log, tagged addresses."""

import json
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.ids import derived
from streams.core.access.checks.further.activities import (
    CHANGES,
    CONSENT,
    CONSENT_REVOKED,
    CREDENTIALS,
    EXPORTS,
    TWO_FACTOR,
    UNAUTHORIZED,
)
from tests.support.access_histories.pools import ACCOUNTS, ADDRESSES, DAY, HOUR, TENANT, TIMES, WORKSPACES
from tests.support.access_oracle.log import Entry, FactDict

SWITCHES: Final = MappingProxyType[str, tuple[Mapping[str, Any], ...]]({
    "C6": ({},), "C7": ({}, {"days": 1}), "C8": ({}, {"days": 1}), "C9": ({}, {"accounts": ["1"]}), "C10": ({},),
    "C11": ({}, {"methods": ["saml"]}), "C12": ({},), "C13": ({},), "C14": ({},), "C15": ({"days": 1}, {"days": 8}), "C16": ({"heads": 2},),
})  # fmt: skip
INVITES: Final = ("admin_invite_creation", "admin_invite_change", "admin_invite_deletion")
TYPES: Final = (
    *CREDENTIALS, *CREDENTIALS.values(), *EXPORTS, *CHANGES, *INVITES, *INVITES, TWO_FACTOR, TWO_FACTOR, UNAUTHORIZED, CONSENT, CONSENT,
    CONSENT_REVOKED, "admin_login_failure", "admin_login_success",
)  # fmt: skip
TAG: Final = "+tag@"


def with_activities(seed: int, entries: list[Entry], *, guarded: bool = True) -> list[Entry]:
    """Return a history with what only the agent answers: its settings switch checks on, and the log says what accounts did.

    `guarded`: some settings let the guards refuse small snapshots. What is refused depends on the order in which snapshots come.
    """
    draw = random.Random(f"activities {seed}")
    switched: dict[str, FactDict] = {}
    changed = []
    for entry in entries:
        fact = entry["fact"]
        if fact["id"] not in switched:  # a repeated fact is the same in every byte
            switched[fact["id"]] = _tagged(draw, _switched(draw, fact, guarded=guarded))
        changed.append({**entry, "fact": switched[fact["id"]]})
    for number in range(draw.randint(6, 14)):
        after = draw.randint(1, len(changed))
        log_time = changed[after - 1]["log_time"]
        changed.insert(after, {"log_time": log_time, "fact": _act(draw, derived("activity", seed, number), log_time)})
    return [{**entry, "offset": offset} for offset, entry in enumerate(changed)]


def _switched(draw: random.Random, fact: FactDict, *, guarded: bool) -> FactDict:
    if fact["kind"] != "settings.applied":
        return fact
    on = {check: draw.choice(ways) for check, ways in SWITCHES.items() if draw.random() < 0.7}
    further = {**(fact["settings"].get("further") or {}), "checks": json.dumps(on)}
    if draw.random() < 0.5 and guarded:
        further["guard"] = json.dumps({"heads": 1, "percent": 20})
    return {**fact, "settings": {**fact["settings"], "further": further}}


def _tagged(draw: random.Random, fact: FactDict) -> FactDict:
    addresses = (fact.get("person") or {}).get("addresses")
    if not addresses or draw.random() > 0.1:
        return fact
    return {**fact, "person": {**fact["person"], "addresses": [each.replace("@", TAG) for each in addresses]}}


def _act(draw: random.Random, id_: str, log_time: int) -> FactDict:
    """Return an entry of the activity log, or a login by its own webhook."""
    type_ = draw.choice(TYPES)
    login = draw.random() < 0.2
    time = draw.choice((*TIMES, log_time, log_time, log_time - HOUR, log_time - DAY))
    fact: FactDict = {
        "id": id_, "tenant": TENANT, "kind": "admin.logged_in" if login else "admin.activity", "source": "w", "basis": "observed",
        "time": time, "app_id": draw.choice(WORKSPACES), "person": {"metadata": json.dumps(_metadata(draw, type_, time))},
    }  # fmt: skip
    if login or draw.random() < 0.85:
        fact["account"] = draw.choice(ACCOUNTS)
    if not login or draw.random() < 0.5:
        fact["activity"] = {"id": id_, "type": "admin_login_success" if login else type_}
    return fact


def _metadata(draw: random.Random, type_: str, time: int) -> dict[str, Any]:
    """Return the metadata of an entry, which often lacks what a check reads."""
    found: dict[str, Any] = {}
    if type_ in INVITES and draw.random() < 0.8:
        found["email"] = draw.choice(ADDRESSES)
    if type_ == TWO_FACTOR and draw.random() < 0.8:
        found["enabled"] = draw.random() < 0.5
    if type_ in (CONSENT, CONSENT_REVOKED):
        found["consent_id"] = draw.choice(("a", "b"))
        found["expired_at"] = (time + draw.choice((HOUR, DAY))) // 1000
    if draw.random() < 0.6:
        found["sign_in_method"] = draw.choice(("saml", "password"))
    return {name: value for name, value in found.items() if draw.random() < 0.9}
