"""C4: an account's roles are allowed by the workspace's rule in the policy."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.access_oracle.beginnings import alone_since, employed_since, nobody_left_since
from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.decided.decisions import DecidedValue, decided_value
from tests.support.access_oracle.decided.grants import approvals_of, unbroken
from tests.support.access_oracle.decided.rules import rule_of
from tests.support.access_oracle.decided.versions import BEGINNINGS
from tests.support.access_oracle.freshness import person_stale_since
from tests.support.access_oracle.matching import match
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.precedence import giving
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.state import State

Answer = Callable[..., Row]  # (status, reason, *causes)


def valid_access(check: CheckInput, c1: Row, c2: Row) -> Row:
    """The design: C4 fails while the account is active, its owner is active, a policy exists, and it does not allow the roles."""
    rule = rule_of(check.state, check.account.key[0])
    base = latest(check.stay.since, check.link.date, check.classification.date, rule.date)
    if check.classification.value is not None:
        return check.row("C4", "NONE", "classified", base)
    if rule.value is None:  # "C4 is UNKNOWN while C1 or C3 fail"
        return check.row("C4", "UNKNOWN", "no_policy", base)
    if c2.has_finding:  # "C2 dominates C4"
        return check.row("C4", "UNKNOWN", "left", base)
    if c1.status == "PASS":
        return _of_owner(check, rule)
    if c1.reason == "not_identified":
        # "Loss of data never closes a finding": an account whose owner is withdrawn is not identified, its finding stays [N9].
        former = match(check.state, check.account, lambda _: True).people
        if len(former) == 1:
            row = row_by_rule(check, former[0][0], rule, former[0][1])
            return replace(row, status="UNKNOWN", reason="not_identified", person=None, person_ids=())
    return check.row("C4", "UNKNOWN", c1.reason, base)


def _of_owner(check: CheckInput, rule: DecidedValue) -> Row:
    person = check.state.person_of(check.link.value) if check.link.value else check.match.people[0][0]
    assert person is not None
    if check.link.value:
        since = latest(check.link.date, person.first) if check.state.version >= BEGINNINGS else check.link.date
    else:
        since = latest(check.match.people[0][1], check.match.alias_date)
        since = latest(since, alone_since(check.state, check.account, check.match, since))
    row = row_by_rule(check, person, rule, since)
    if person.is_silent(check.state.now):
        return replace(row, status="UNKNOWN", reason="withdrawn")
    stale_since = person_stale_since(check.state, person)
    if stale_since is not None:  # edge case 10: "C2, C4 UNKNOWN with reason; open findings stay open"
        return replace(row, status="UNKNOWN", reason="stale", since=latest(row.since, stale_since), since_settled=False)
    return row


def row_by_rule(check: CheckInput, person: Person, rule: DecidedValue, identified: int | None) -> Row:
    """Return the row by the rule's validity: all staff, staff roles, Intercom roles by staff role, or tickets."""
    base = latest(check.stay.since, check.link.date, check.classification.date, rule.date, identified, _employed(check, person))
    silent = person.is_silent(check.state.now)
    owner: dict[str, Any] = {"person": person.id, "person_ids": person.ids, "finding_people": person.ids, "silent": silent}

    def answer(status: str, reason: str, *causes: int | None) -> Row:
        since = latest(base, *causes)
        fails = status == "FAIL"
        finding_since = since if fails else None
        return check.row(
            "C4", status, reason, since, since_settled=fails, has_finding=fails, finding_since=finding_since, **owner
        )

    row = _by_validity(check, person, rule, answer)
    return row if row.status == "FAIL" else _by_choice(check, row, answer)  # "A failure by the policy comes first"


def _employed(check: CheckInput, person: Person) -> int | None:
    """ "Who left and is employed again passes C2 since then, and C4 passes or fails since then." """
    if check.link.value is not None:
        return employed_since(check.state, person)
    return nobody_left_since(check.state, check.account, person)


def _by_validity(check: CheckInput, person: Person, rule: DecidedValue, answer: Answer) -> Row:
    validity = rule.value["validity"]
    if validity == "all_staff":
        return answer("PASS", "all_staff")
    if validity == "ticket":
        return _by_ticket(check, person, answer)
    roles, roles_since, withdrawn = roles_of(check.state, person)
    if roles is None:  # no source has given the person's roles
        return answer("UNKNOWN", "role_unknown")
    row = _by_roles(check, rule, roles, roles_since, answer)
    return replace(row, status="UNKNOWN", reason="role_unknown") if withdrawn else row


def _by_choice(check: CheckInput, row: Row, answer: Answer) -> Row:
    """ "Where a role was chosen for a teammate, C4 compares it too, whatever the validity: FAIL `chosen_role_differs` where Intercom
    has another one, UNKNOWN `role_unknown` where Intercom did not say which, or named two in one second." What it calls `role_unknown`
    is `intercom_role_unknown` here, as in a rule."""
    chosen = decided_value(check.state.decisions_about("role", *check.account.key), lambda fact: fact["role"].get("name"))
    if chosen.value is None:  # one that was taken back dates what passes since then
        dates = row.status == "PASS" and chosen.date is not None and check.state.version >= BEGINNINGS
        return replace(row, since=latest(row.since, chosen.date)) if dates else row
    actual, actual_since = check.account.roles, check.account.role_since
    fitting = {role for role in actual if plain_name(chosen.value) in map(plain_name, role)}
    if fitting == actual and actual:  # a PASS rests on the choice too, what the policy cannot answer does not
        return replace(row, since=latest(row.since, chosen.date, actual_since)) if row.status == "PASS" else row
    differs = answer("FAIL", "chosen_role_differs", chosen.date, actual_since)
    if actual and not fitting:
        return differs
    if row.has_finding:  # it would fail by the policy, as far as is known: that failure comes first too
        return row
    unknown = row if row.status == "UNKNOWN" else answer("UNKNOWN", "intercom_role_unknown", chosen.date, actual_since)
    if not fitting:
        return unknown
    passes = row.since if row.status == "PASS" else None  # until then it failed by the policy, and that answer ended there
    return replace(  # two roles in one second, one of them the chosen one: UNKNOWN, and a finding stays, as in a rule [N10]
        unknown, since=latest(differs.since, passes), has_finding=True, finding_since=latest(differs.finding_since or 0, passes)
    )


def plain_name(name: str) -> str:
    """ "Names of roles are compared without case and extra blanks." """
    return " ".join(name.split()).casefold()


def _by_roles(check: CheckInput, rule: DecidedValue, roles: tuple[str, ...], since: int | None, answer: Answer) -> Row:
    """Judge the staff roles alone, or the Intercom roles that they allow."""
    if rule.value["validity"] == "staff_roles":
        valid = bool(set(roles) & set(rule.value.get("roles") or ()))
        return answer("PASS" if valid else "FAIL", "role_valid" if valid else "role_not_valid", since)
    table = rule.value.get("intercom_roles") or {}
    allowed = {name for role in roles for name in table.get(role, ())}
    if not table.keys() & set(roles):  # "none of the person's roles in the table: FAIL `role_not_allowed`"
        return answer("FAIL", "role_not_allowed", since)
    actual, actual_since = check.account.roles, check.account.role_since
    if not actual:  # "account's Intercom role not known: UNKNOWN `role_unknown`"
        return answer("UNKNOWN", "intercom_role_unknown", since)
    fitting = {role for role in actual if allowed & set(role)}
    if fitting and actual - fitting:  # two roles in one second, one of them valid: UNKNOWN, in both orders [N10]
        row = answer("FAIL", "intercom_role_not_allowed", since, actual_since)
        return replace(row, status="UNKNOWN", reason="intercom_role_unknown", since_settled=False)
    reason = "role_valid" if fitting else "intercom_role_not_allowed"
    return answer("PASS" if fitting else "FAIL", reason, since, actual_since)


def _by_ticket(check: CheckInput, person: Person, answer: Answer) -> Row:
    """ "PASS while an approval is in force … FAIL `no_approval` where there never was one that began … `approval_ended` since the
    end of the last one"."""
    cover = unbroken(approvals_of(check, person), check.state.now)
    if cover.begun is not None:
        return answer("PASS", "approved", cover.begun)
    return answer("FAIL", "no_approval") if cover.ended is None else answer("FAIL", "approval_ended", cover.ended)


def roles_of(state: State, person: Person) -> tuple[tuple[str, ...] | None, int | None, bool]:
    """Return the person's roles, since when, and whether only withdrawn records give them."""
    given = giving(state, person.records, lambda record: record.roles, state.now)
    if not given:
        return None, None, False
    record, roles = given[0]
    decided = state.setting(lambda settings: settings.get("precedence") or (), ()).date if len(given) > 1 else None
    return roles.value, latest(roles.since, decided), not record.identifies(state.now)
