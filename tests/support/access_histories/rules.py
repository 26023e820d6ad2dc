"""The version of the rules that a history's answers follow: a worker's settings put it in force, before the first of its facts."""

import json
import random
from typing import Final

from schemas.ids import derived
from tests.support.access_histories.pools import TENANT
from tests.support.access_oracle.log import Entry

VERSIONS: Final = ("1", "2", "3", "4", "5")
_SHARES: Final = (7, 6, 7, 0, 80)  # the dates of version 4 are no more those of the document


def version_of(seed: int) -> str:
    """Return the version of a seed's history in a campaign: four of five have the latest."""
    [version] = random.Random(f"rules {seed}").choices(VERSIONS, _SHARES)
    return version


def by_rules(entries: list[Entry], version: str) -> list[Entry]:
    """Return the history by a version of the rules: settings that name it come first, and the history's own replace them."""
    if version == VERSIONS[0]:
        return entries
    fact = {
        "id": derived("rules", version), "tenant": TENANT, "kind": "settings.applied", "source": "c", "basis": "decided",
        "settings": {"hash": f"rules {version}", "further": {"rules": json.dumps(version)}},
    }  # fmt: skip
    first = {"log_time": entries[0]["log_time"], "fact": fact}
    begins = [
        entry["fact"] for entry in entries if entry["fact"]["kind"] == "settings.applied" and not entry["fact"].get("replaces")
    ]
    second = {**begins[0], "replaces": fact["id"]} if begins else None  # others that replace nothing are stale, as they were
    named = [{**entry, "fact": second} if second and entry["fact"]["id"] == second["id"] else entry for entry in entries]
    return [{**entry, "offset": offset} for offset, entry in enumerate([first, *named])]
