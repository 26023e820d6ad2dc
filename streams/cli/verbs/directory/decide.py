"""`directory select|deselect|role|resend|cancel`: decide what is imported."""

from collections.abc import Callable, Sequence

import click

from schemas.directory.decisions import DirectoryMatter
from streams.cli.options import kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.directory.report import ChoosingOptions, carry_out, choosing, report
from streams.cli.workspace import workspace_of
from streams.ops.codec import configured_codec
from streams.ops.directory.choose import ChoiceReport, Wish
from streams.ops.directory.state import DirectoryState, read_directory
from streams.settings import Settings

_TEAM = click.option("--team", metavar="TEAM", help="A team, by id or name.")
_AGENTS = click.option(
    "--agent", "agents", multiple=True, metavar="AGENT", help="An agent, by id or address; several are allowed."
)
_MEMBERS = click.option("--members", type=click.Choice(["none", "also", "only"]), default="none", show_default=True,
                        help="With --team: the team alone, all who are in it too, or only these.")  # fmt: skip


@click.command("select")
@_TEAM
@_AGENTS
@_MEMBERS
@choosing
def select(ctx: click.Context, /, *, options: ChoosingOptions, team: str | None, agents: tuple[str, ...], members: str) -> None:
    """Import a team (--team), agents of it (--team and --agent, or --members), or agents in no team (--agent).

    A team is imported without its members unless they are selected too, and members without their team. Who joins a team later is
    undecided, and not imported, until somebody decides.
    """
    _select(ctx, options, team, agents, members, selected=True)


@click.command("deselect")
@_TEAM
@_AGENTS
@_MEMBERS
@choosing
def deselect(ctx: click.Context, /, *, options: ChoosingOptions, team: str | None, agents: tuple[str, ...], members: str) -> None:
    """The same words take it back. Who is deselected in one of several teams is still imported, and missing only there."""
    _select(ctx, options, team, agents, members, selected=False)


@click.command("role")
@click.argument("agent", metavar="AGENT")
@click.argument("role", metavar="[ROLE]", required=False)
@choosing
def role(ctx: click.Context, /, *, options: ChoosingOptions, agent: str, role: str | None) -> None:
    """Choose the role that an agent has; without ROLE, none. It can be changed at any time, also after the import."""
    _about(ctx, options, agent, DirectoryMatter.ROLE, role)


@click.command("resend")
@click.argument("agent", metavar="AGENT")
@choosing
def resend(ctx: click.Context, /, *, options: ChoosingOptions, agent: str) -> None:
    """Ask for the import of an agent once more: an event on agent.imports. This product sends no mail itself."""
    _about(ctx, options, agent, DirectoryMatter.RESEND)


@click.command("cancel")
@click.argument("agent", metavar="AGENT")
@choosing
def cancel(ctx: click.Context, /, *, options: ChoosingOptions, agent: str) -> None:
    """Withdraw the request to import an agent. The selection stays; `directory deselect` changes it."""
    _about(ctx, options, agent, DirectoryMatter.CANCEL)


def _select(
    ctx: click.Context, options: ChoosingOptions, team: str | None, agents: Sequence[str], members: str, *, selected: bool
) -> None:
    if team is None and (not agents or members != "none"):
        raise click.UsageError("say which: --team TEAM, --agent AGENT, or both")
    if agents and members != "none":
        raise click.UsageError("--members is for all who are in the team; leave out --agent")

    def wishes(state: DirectoryState) -> list[Wish]:
        named = [state.agent(each) for each in agents]
        if team is None:
            return [Wish(matter=DirectoryMatter.AGENT, agent=each, selected=selected) for each in named]
        of = state.team(team)
        named = named if members == "none" else state.members_of(of)
        itself = [Wish(matter=DirectoryMatter.TEAM, team=of, selected=selected)] if not agents and members != "only" else []
        return itself + [Wish(matter=DirectoryMatter.MEMBER, team=of, agent=each, selected=selected) for each in named]

    report(ctx, run(_with_state(kafka_of(ctx), options, wishes)), as_json=options.as_json)


def _about(ctx: click.Context, options: ChoosingOptions, agent: str, matter: DirectoryMatter, role: str | None = None) -> None:
    def wishes(state: DirectoryState) -> list[Wish]:
        return [Wish(matter=matter, agent=state.agent(agent), role=role)]

    report(ctx, run(_with_state(kafka_of(ctx), options, wishes)), as_json=options.as_json)


async def _with_state(
    settings: Settings, options: ChoosingOptions, wishes: Callable[[DirectoryState], list[Wish]]
) -> list[ChoiceReport]:
    app_id, _ = workspace_of(settings.tenancy, options.workspace)
    state = await read_directory(settings.kafka, await configured_codec(settings), app_id)
    return await carry_out(settings, options, wishes(state))
