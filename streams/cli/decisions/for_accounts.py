"""Decide about accounts from a verb: plan, show or carry out, and report."""

from collections.abc import Sequence

import click

from streams.cli.decisions.account import Planned, Wanted, decide, plan
from streams.cli.decisions.answers import answers_of
from streams.cli.decisions.bulk import show_plan
from streams.cli.decisions.carry_out import DecisionReport, show
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.options import Deciding
from streams.cli.run_async import run
from streams.cli.tables import print_line
from streams.settings import Settings


class AccountDecider:
    """Makes one call's decisions about accounts of a tenant."""

    def __init__(self, settings: Settings, tenant: str, how: Deciding) -> None:
        self._settings, self._tenant, self._how = settings, tenant, how

    def decide(self, ctx: click.Context, wanted: Sequence[Wanted], words: str, *, shown: bool = False) -> None:
        """Decide, or only show what would be decided; `words` say what has become of the accounts."""
        planned, reports, unknown = run(self._decide(wanted, shown=shown))
        if shown:
            show_plan(planned)
        else:
            show(ctx, reports, words, as_json=self._how.as_json)
        for app_id, account in unknown:
            print_line(f"no teammate {account} of {app_id} is known: what is decided holds once there is one", err=True)

    async def _decide(
        self, wanted: Sequence[Wanted], *, shown: bool
    ) -> tuple[list[Planned], list[DecisionReport], list[tuple[str, str]]]:
        """Return what is planned, what became of it, and the accounts that no check has answered about."""
        log = await DecisionLog.open(self._settings, self._tenant, self._how.wait)
        planned = await plan(log, wanted, self._how.requester, self._how.reason, self._tenant)
        known = {(row.app_id, row.account) for row in await answers_of(self._settings, log.avro, self._tenant)}
        unknown = [(each.app_id, each.account) for each in wanted if (each.app_id, each.account) not in known]
        return planned, [] if shown else await decide(log, planned, self._tenant), unknown
