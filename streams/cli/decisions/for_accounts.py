"""Decide about accounts from a verb: plan, show or carry out, and report."""

from collections.abc import Mapping, Sequence
from typing import Final

import click

from streams.cli.decisions.account import Planned, Wanted, decide, plan
from streams.cli.decisions.answers import answers_of
from streams.cli.decisions.bulk import show_plan
from streams.cli.decisions.carry_out import DecisionReport, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding
from streams.cli.lines import print_line
from streams.cli.run_async import run
from streams.settings import Settings

_NAMED: Final = 5  # accounts that nobody knows


def _of_unknown(accounts: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(f"{account} of {app_id}" for app_id, account in accounts[:_NAMED])
    more = f", and {len(accounts) - _NAMED:,} more" if len(accounts) > _NAMED else ""
    return f"no teammate is known as {named}{more}: what is decided holds once there is one"


class AccountDecider:
    """Makes one call's decisions about accounts of a tenant."""

    def __init__(self, settings: Settings, tenant: str, how: Deciding) -> None:
        self._settings, self._tenant, self._how = settings, tenant, how

    def decide(
        self,
        ctx: click.Context,
        wanted: Sequence[Wanted],
        words: str,
        *,
        shown: bool = False,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Decide, or only show what would be decided; `words` say what has become of the accounts, `names` what staff is called by id."""
        planned, reports, unknown = run(self._decide(wanted, shown=shown))
        if shown:
            show_plan(planned, names or {}, as_json=self._how.as_json)
        else:
            show(ctx, reports, words, as_json=self._how.as_json)
        if unknown:
            print_line(_of_unknown(unknown), err=True)

    async def _decide(
        self, wanted: Sequence[Wanted], *, shown: bool
    ) -> tuple[list[Planned], list[DecisionReport], list[tuple[str, str]]]:
        """Return what is planned, what became of it, and the accounts that no check has answered about."""
        log = await DecisionLog.open(self._settings, self._tenant, self._how.wait)
        planned = await plan(log, wanted, self._how.requester, self._how.reason, self._tenant)
        known = {(row.app_id, row.account) for row in await answers_of(self._settings, log.avro, self._tenant)}
        unknown = [(each.app_id, each.account) for each in wanted if (each.app_id, each.account) not in known]
        return planned, [] if shown else await decide(log, planned, self._tenant), unknown
