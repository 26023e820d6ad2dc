"""The oracle's entry functions: the answers after each fact, after a whole history, and of facts as structs.

The oracle keeps nothing between facts except the findings. It computes the rows from all facts again after each fact, and at each
instant at which a timer would fire. It is slow on purpose: each function is one sentence of the design, which its docstring
quotes. [N3] and the like refer to the notes in README.md.
"""

from collections.abc import Iterator, Sequence

from schemas.access.facts import Fact
from tests.support.access_oracle.decided.monitoring import has_started
from tests.support.access_oracle.decided.rules import bounds
from tests.support.access_oracle.episodes.findings import Decided, Findings, reconcile
from tests.support.access_oracle.episodes.handling import handle
from tests.support.access_oracle.freshness import changing_instants
from tests.support.access_oracle.interpretation import DEFAULT, Interpretation
from tests.support.access_oracle.log import Entry, LoggedFact, entries_of, read_log
from tests.support.access_oracle.results import NOTHING, Answers
from tests.support.access_oracle.rows import rows_at
from tests.support.access_oracle.state import state_at


def answers_of(facts: Sequence[Fact], log_times: Sequence[int], now: int) -> Answers:
    """Return the answers at `now` after these facts, each appended to the log at the time of the same position."""
    return answers(entries_of(facts, log_times), now)


def answers(history: Sequence[Entry], now: int | None = None, interpretation: Interpretation = DEFAULT) -> Answers:
    """Return the answers after the whole history."""
    return [NOTHING, *walk(history, now, interpretation)][-1]


def walk(history: Sequence[Entry], now: int | None = None, interpretation: Interpretation = DEFAULT) -> Iterator[Answers]:
    """Yield the answers after each fact, and once more at `now` if that is later than the log."""
    log = read_log(history)
    findings = Findings()
    time = 0
    for index, logged in enumerate(log):
        if index:
            _fire_timers(log[:index], time, logged.log_time, interpretation, findings)
        time = logged.log_time
        handle(logged, findings, interpretation)
        yield reconcile(log[: index + 1], time, str(logged.fact["id"]), interpretation, findings)
        assert findings.state is not None
        findings.monitoring = findings.monitoring or has_started(findings.state)
    if now is not None and log and now > time:
        _fire_timers(log, time, now, interpretation, findings)
        yield reconcile(log, now, "now", interpretation, findings)


def _fire_timers(log: Sequence[LoggedFact], after: int, until: int, interpretation: Interpretation, findings: Findings) -> None:
    """The design: "every timer due at or before log time fires, oldest first, each as of its own due instant".

    A finding that a timer opens has a deadline of its own, which may come before the next of the other timers.
    """
    if until == after:
        return
    due = due_instants(log, after, until, interpretation)
    while True:
        deadlines = [finding.deadline for finding in findings.open if finding.deadline]
        steps = {instant for deadline in deadlines for instant in (deadline.critical, deadline.due)}
        instant = min((instant for instant in {*due, *steps} if after < instant <= until), default=None)
        if instant is None:
            return
        reconcile(log, instant, f"timer:{instant}", interpretation, findings)
        after = instant


def due_instants(log: Sequence[LoggedFact], after: int, until: int, interpretation: Interpretation) -> list[int]:
    """Return the instants after one log time until another at which an answer can change by time alone, but for deadlines."""
    state = state_at(log, until, interpretation)
    records = [record for person in state.people for record in person.records]
    instants = {record.end.instant for record in records if record.end}
    instants |= {record.withdrawn for record in records if record.withdrawn is not None and record.absence_is_end}
    instants |= changing_instants(state) | bounds(state)
    for made in state.decisions.values():
        for part in (made[-1].fact.get("grant"), made[-1].fact.get("classification")):
            instants.update(time for name in ("starts", "expires") if (time := (part or {}).get(name)) is not None)
    return sorted(instant for instant in instants if after < instant <= until)


def final_rows(history: Sequence[Entry], interpretation: Interpretation = DEFAULT) -> Answers:
    """Return the answers after the whole history without findings: one computation instead of one for each fact."""
    log = read_log(history)
    now = log[-1].log_time if log else 0
    state, accounts, workspaces = rows_at(log, now, interpretation)
    decided = Decided(state, accounts, {})
    return Answers(
        now=now,
        position=len(log) - 1,
        accounts={key: {check: decided.row(row) for check, row in rows.items()} for key, rows in accounts.items()},
        workspaces={app_id: decided.row(row) for app_id, row in workspaces.items()},
        presence={key: account.presence.status for key, account in state.accounts.items()},
        open=(),
        closed=(),
    )
