"""The law of triggers: after each fact, evaluating everything again changes nothing, and nothing was opened only to be closed.

Answers are evaluated where something they rest on changes, or its instant comes. What is missing among these triggers shows here at the
next fact, without another implementation that knows the answer, and for every check, those about data and further ones included.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.agents.access import ROWS
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing.evaluation import Evaluation
from streams.core.access.state.tenant import TenantState
from streams.engine.partition.table_view import TableView
from tests.support.access_laws.beginnings import Beginnings
from tests.support.access_oracle.log import Entry
from tests.support.company import TENANT, Company


def nothing_is_left(history: Sequence[Entry], begun: Beginnings | None = None) -> list[str]:
    """Return what the first fact leaves undone, or does only to undo it. `begun` walks over the history, and knows it then."""
    begun = begun or Beginnings(history)
    for position, (entry, found) in enumerate(begun.followed()):
        left = [f"another evaluation changes {each}" for each in left_undone(begun.company)]
        if entry["fact"]["kind"] != "admin.added":  # which can report a presence that had ended before
            left += [f"opened and closed at once is {each}" for each in opened_and_closed(found)]
        if left:
            return [f"after fact {position} {each}" for each in left]
    return []


def opened_and_closed(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the findings that were opened and closed at one instant: something was evaluated that was not complete."""
    opened = {(each["finding_info"]["uid"], each["finding_info"]["modified_time"]) for each in found if each["activity_id"] == 1}
    return [
        f"the finding {each['unmapped']['check']}"
        for each in found
        if each["activity_id"] == 3 and (each["finding_info"]["uid"], each["finding_info"]["modified_time"]) in opened
    ]


def left_undone(company: Company) -> list[str]:
    """Return the findings and rows that another evaluation of everything would change; the company stays as it is."""
    state = TenantState(TableView(company.table.store, ROWS), TENANT)
    evaluation, now = Evaluation(state).load_context(), state.log.now
    again = EpisodeCause("again", None, now, now)
    for app_id, _ in list(state.workspaces.walk()):
        evaluation.workspace(app_id, again)
    for key in list(state.account_keys()):
        evaluation.account(key, again, now)
    findings = [f"the finding {key.check} {key.app_id}/{key.account}" for key, *_ in evaluation.events]
    return [*findings, *(f"the row {key}" for key in evaluation.states)]
