"""The law of triggers: after each fact, evaluating everything again changes nothing.

Answers are evaluated where something they rest on changes, or its instant comes. What is missing among these triggers shows here at the
next fact, without another implementation that knows the answer, and for every check, those about data and further ones included.
"""

from collections.abc import Sequence

from streams.agents.access import ROWS
from streams.core.access.findings.episodes import EpisodeCause
from streams.core.access.processing.evaluation import Evaluation
from streams.core.access.state.tenant import TenantState
from streams.engine.partition.table_view import TableView
from tests.support.access_laws.product import records_of
from tests.support.access_oracle.log import Entry
from tests.support.company import TENANT, Company


def nothing_is_left(history: Sequence[Entry]) -> list[str]:
    """Return what another evaluation changes after the first fact that leaves something undone."""
    company = Company()
    for position, record in enumerate(records_of(history)):
        company.process([record])
        if left := left_undone(company):
            return [f"after fact {position} another evaluation changes {each}" for each in left]
    return []


def left_undone(company: Company) -> list[str]:
    """Return the findings and rows that another evaluation of everything would change; the company stays as it is."""
    state = TenantState(TableView(company.table.store, ROWS), TENANT)
    evaluation, now = Evaluation(state).load_context(), state.log.now
    again = EpisodeCause("again", None, now, now)
    for app_id, _ in list(state.workspaces.walk()):
        evaluation.workspace(app_id, again)
    for key in list(state.account_keys()):
        evaluation.account(key, again, now)
    findings = [f"the finding {key.check} {key.app_id}/{key.account}" for key, _ in evaluation.events]
    return [*findings, *(f"the row {key}" for key in evaluation.states)]
