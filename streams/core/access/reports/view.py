"""What the sections of a report are made from: the state as of the instant, the record of how it came to be, and the people."""

from schemas.access.report_lines import ReportedAnswer, ReportedPerson
from schemas.cloudevents import timestamp
from streams.core.access.processing.evaluation import Evaluation
from streams.core.access.reports.record import ReportRecord
from streams.core.access.reports.scope import ReportScope
from streams.core.access.state.directory import Directory
from streams.core.access.state.fields import value
from streams.core.access.state.person import Person
from streams.core.access.state.rows import AccountRow, CheckRow
from streams.core.access.state.tenant import TenantState


class ReportView:
    """Reads a state that no fact changes any more. `at` is the instant of the report (ms)."""

    def __init__(self, state: TenantState, record: ReportRecord) -> None:
        self.state, self.record = state, record
        self.directory = Directory(state)
        self.evaluation = Evaluation(state).load_context(self.directory)

    @property
    def scope(self) -> ReportScope:
        return self.record.scope

    @property
    def at(self) -> int:
        return self.record.scope.as_of

    def person(self, person: Person) -> ReportedPerson:
        """Return a person as the sources describe them, the first of the precedence first."""
        precedence = self.directory.precedence
        roles = person.described("roles", precedence, self.at)
        return ReportedPerson(
            staff=person.id,
            name=person.described("name", precedence, self.at),
            addresses=person.given(precedence, self.at),
            roles=tuple(roles or ()),
            department=person.described("department", precedence, self.at),
        )

    def person_named(self, staff: str) -> ReportedPerson:
        """Return the person that an id names, or the id alone where no record is known."""
        known = self.directory.person_of(staff)
        return ReportedPerson(staff=staff) if known is None else self.person(known)

    def address(self, account: AccountRow | None) -> str | None:
        return None if account is None else value(account.fields, "address")


def instant(at: int | None) -> str | None:
    """Return a time as a report shows it, None where there is none."""
    return None if at is None else timestamp(at)


def seconds(duration: int) -> int:
    """Return a duration (ms) in whole seconds, rounded down."""
    return duration // 1000


def reported_answer(check: str, row: CheckRow) -> ReportedAnswer | None:
    """Return what a check answers, None where it does not."""
    result, episode = row.check_result, row.episode
    if result is None:
        return None
    return ReportedAnswer(
        check=check,
        result=result.result,
        reason=result.reason,
        since=timestamp(result.since),
        finding=episode.uid if episode else None,
        due=instant(result.due) if episode else None,
        sla_state=result.sla_state,
        exemption=result.exemption.id if result.exemption else None,
        baseline=episode.baseline if episode else False,
    )
