"""The law that no event is dated before its causes."""

from collections.abc import Iterator, Sequence

from tests.support.access_laws.answer import Answer
from tests.support.access_oracle.decided.decisions import decided_value
from tests.support.access_oracle.decided.rules import rule_of
from tests.support.access_oracle.decided.workspaces import monitoring_of
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import TEAMMATE_KINDS, Entry, Key, read_log
from tests.support.access_oracle.results import Finding
from tests.support.access_oracle.state import State, state_at


def no_event_before_causes(history: Sequence[Entry], answer: Answer) -> list[str]:
    """No event is dated before the decision, the policy or the observation that causes it, nor before its Create."""
    answers = answer(history)
    state = state_at(read_log(history), answers.now, DEFAULT)
    facts = [entry["fact"] for entry in history]
    times = [fact["time"] for fact in facts if fact.get("time") is not None] + [entry["log_time"] for entry in history]
    first = _first_observations(state)
    broken: list[str] = []
    for finding in [*answers.open, *answers.closed]:
        broken += _dates_too_early(finding, min(times), first)
    for finding in answers.open:
        for name, time in _causes(state, finding):
            if time is not None and finding.since < time:
                broken.append(f"{finding.subject}: dated {finding.since}, before {name} at {time}")
    return broken


def _first_observations(state: State) -> dict[Key, int]:
    first: dict[Key, int] = {}
    for logged in state.facts:
        if logged.kind in TEAMMATE_KINDS:
            key = (logged.fact["app_id"], logged.fact["account"])
            first[key] = min(logged.fact["time"], first.get(key, logged.fact["time"]))
    for row in (row for listing in state.listings for row in listing.rows):
        key, requested = (row.fact["app_id"], row.fact["account"]), row.fact["snapshot"]["requested"]
        first[key] = min(requested, first.get(key, requested))
    return first


def _dates_too_early(finding: Finding, earliest: int, first: dict[Key, int]) -> Iterator[str]:
    if any(time < finding.created for _, time, _ in finding.events):
        yield f"{finding.subject}: an event before its Create"
    if min(finding.since, finding.created) < earliest:  # 1970, for example
        yield f"{finding.subject}: dated {finding.since}, before anything was observed or decided"
    if finding.account is not None and finding.since < first[finding.app_id, finding.account]:
        yield f"{finding.subject}: dated {finding.since}, before anything was observed of the account"


def _causes(state: State, finding: Finding) -> Iterator[tuple[str, int | None]]:
    """Yield the causes of an open finding with their times; of decisions `time`, or else log time."""
    rule = rule_of(state, finding.app_id)
    if finding.check == "C3":
        monitoring = monitoring_of(state, finding.app_id)
        yield "monitoring", monitoring.date if monitoring else None
        yield "the policy's end", rule.date
    elif finding.account is not None:
        account = (finding.app_id, finding.account)
        presence = state.accounts[account].presence
        yield "the stay", presence.since if presence.status == "active" else None
        link = decided_value(state.decisions_about("link", *account), lambda fact: fact.get("staff"))
        if finding.check == "C1" and finding.reason == "ambiguous":
            yield "the address", min(state.accounts[account].address_first.values())
        if finding.check in ("C2", "C4") and link.value:
            yield "the link", link.date
        if finding.check == "C4":
            yield "the policy", rule.date
        if finding.check == "C2":
            records = [record for person in state.people for record in person.records if record.id in finding.people]
            yield "the end", min((record.end.instant for record in records if record.end), default=None)
