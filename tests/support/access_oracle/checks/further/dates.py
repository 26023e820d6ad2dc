"""Since when a further check fails: docs/access.md, Further checks."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.checks.further import entries as log
from tests.support.access_oracle.checks.further.accepted import accepted
from tests.support.access_oracle.checks.further.answer import Options
from tests.support.access_oracle.checks.further.answers import certain_owner, holding, of_this_stay, wrong_methods
from tests.support.access_oracle.checks.further.invitations import not_to_be_invited
from tests.support.access_oracle.checks.further.mass import mass_changes
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.rows import check_input
from tests.support.access_oracle.state import State


def failing_since(state: State, check: str, app_id: str, account: str) -> int:
    """Return since when a check that fails does so, or is accepted, or is no longer."""
    options = log.switches(state).get(check, {})
    if check == "C7":
        begun = min(since for _, since in not_to_be_invited(state, app_id))
    elif check == "C16":
        begun = mass_changes(state, app_id, options)[-1][0]
    else:
        known = state.accounts[app_id, account]
        begun = _SINCE[check](check_input(state, known, known.presence), options)
    cover = accepted(state, check, app_id, account)
    return latest(begun, cover.ended if cover.begun is None else cover.begun)


def _run(times: list[int], options: Options) -> int:
    """ "A run of events is one finding": return when the first one of the last run was."""
    begun = times[-1]
    for time in reversed(times):
        if time + log.days(options) <= begun:
            break
        begun = time
    return begun


def _login_after_end(check: CheckInput, _: Options) -> int:
    """The first login after the end."""
    return _first_after_end(check, (log.LOGIN,))


def _made_after_end(check: CheckInput, _: Options) -> int:
    """What was made first after the end."""
    return _first_after_end(check, log.MADE)


def _first_after_end(check: CheckInput, types: tuple[str, ...]) -> int:
    """Not before the link that says whose the account is."""
    begins = latest(_end_of(check), check.stay.since)
    first = min(entry.time for entry in log.entries(check.state, *check.account.key, types) if entry.time >= begins)
    return latest(first, check.link.date)


def _end_of(check: CheckInput) -> int:
    owner = certain_owner(check)
    assert owner is not None
    assert owner.end is not None
    return owner.end.instant


def _added_again(check: CheckInput, _: Options) -> int:
    """The beginning of the stay."""
    return check.stay.since


def _changed_by_hand(check: CheckInput, options: Options) -> int:
    """The first change of the run."""
    changes = of_this_stay(check, log.entries(check.state, *check.account.key, log.CHANGES))
    return _run([entry.time for entry in changes], options)


def _two_factor(check: CheckInput, _: Options) -> int:
    """When it was switched off: the first entry of those that say so, since it was on."""
    begun = 0
    for entry in reversed(of_this_stay(check, log.entries(check.state, *check.account.key, (log.TWO_FACTOR,)))):
        if entry.metadata.get("enabled") is not False:
            break
        begun = entry.time
    return begun


def _sign_in_method(check: CheckInput, options: Options) -> int:
    """The first such login, or attempt, of the run."""
    return _run(sorted(entry.time for entry in wrong_methods(check, options)), options)


def _credentials_left(check: CheckInput, _: Options) -> int:
    """The end, or when the first of them was made, if that is later."""
    made = log.entries(check.state, *check.account.key, tuple(log.CREDENTIALS))
    return latest(_end_of(check), min(entry.time for entry in made))


def _consent(check: CheckInput, options: Options) -> int:
    """The first consent that holds."""
    return min(entry.time for entry in holding(check, options))


def _seat(check: CheckInput, options: Options) -> int:
    """When the days without a sign of life were over."""
    signs = log.signs_of_life(check.state, *check.account.key)
    return max([check.stay.since, *signs]) + log.days(options, 90)


_SINCE: Final[Mapping[str, Callable[[CheckInput, Options], int]]] = MappingProxyType({
    "C6": _login_after_end, "C8": _added_again, "C9": _changed_by_hand, "C10": _two_factor, "C11": _sign_in_method,
    "C12": _made_after_end, "C13": _credentials_left, "C14": _consent, "C15": _seat,
})  # fmt: skip
