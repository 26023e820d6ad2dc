"""What a decision about teams and agents needs from the command line, and how its outcome is reported."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import click
import msgspec

from schemas.directory.decisions import DirectoryMatter
from schemas.json_lines import json_line
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, workspace_option
from streams.cli.workspace import workspace_of
from streams.ops.codec import configured_codec
from streams.ops.directory.choose import APPLIED, PENDING, UNCHANGED, ChoiceReport, Wish, choose
from streams.settings import Settings

Verb = Callable[..., Any]

_REASON = click.option("--reason", metavar="TEXT", help="Why; the log of decisions keeps it.")
_WAIT = click.option("--wait", type=click.FloatRange(0), default=30.0, show_default=True, metavar="SECONDS",
                     help="How long to wait for a worker to come to the decision.")  # fmt: skip

_WHY: Final = {
    "stale": "somebody decided a moment before; run the command again",
    "bot": "this is the workspace's bot",
    "not_requested": "there is no request to send again or to withdraw: they are not imported, or it was withdrawn",
    PENDING: "no worker has come to it yet; it holds once one does",
}


class ChoosingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody decides: for which workspace, why, how long the command waits (seconds), and whether it prints for programs."""

    workspace: str | None
    reason: str | None
    wait: float
    as_json: bool


def choosing(function: Verb) -> Verb:
    """Add the options of a decision; the function gets them as `options`."""

    def with_options(ctx: click.Context, /, **values: Any) -> None:
        own = {name: values.pop(name) for name in ("workspace", "reason", "wait", "as_json")}
        function(ctx, options=ChoosingOptions(**own), **values)

    with_options.__doc__ = function.__doc__
    verb: Verb = click.pass_context(with_options)
    for option in (config_option, json_option, _WAIT, _REASON, workspace_option):
        verb = option(verb)
    return verb


async def carry_out(settings: Settings, options: ChoosingOptions, wishes: Sequence[Wish]) -> list[ChoiceReport]:
    """Decide what is wished for."""
    app_id, tenant = workspace_of(settings.tenancy, options.workspace)
    return await choose(
        settings.kafka,
        await configured_codec(settings),
        (tenant, app_id),
        wishes,
        actor=user_name(),
        reason=options.reason,
        wait=options.wait,
    )


def report(ctx: click.Context, reports: Sequence[ChoiceReport], *, as_json: bool) -> None:
    """Print what became of decisions; exit code 1 where one has no effect."""
    for each in reports:
        if as_json:
            click.echo(json_line(each))
        elif each.outcome in (APPLIED, UNCHANGED):
            click.echo(f"{_subject(each)}: {_wish(each)}{' already' if each.outcome == UNCHANGED else ''}")
        else:
            click.echo(f"{_subject(each)}: no effect, {_WHY.get(each.outcome, each.outcome)}", err=True)
    if any(each.outcome not in (APPLIED, UNCHANGED) for each in reports):
        ctx.exit(1)


def _subject(each: ChoiceReport) -> str:
    parts = [*([f"agent {each.agent}"] if each.agent else []), *([f"team {each.team}"] if each.team else [])]
    return " in ".join(parts)


def _wish(each: ChoiceReport) -> str:
    if each.matter is DirectoryMatter.ROLE:
        return f"has the role {each.role}" if each.role else "has no chosen role"
    if each.matter in (DirectoryMatter.RESEND, DirectoryMatter.CANCEL):
        return "the request is sent again" if each.matter is DirectoryMatter.RESEND else "the request is withdrawn"
    return {True: "selected", False: "deselected", None: "undecided"}[each.selected]
