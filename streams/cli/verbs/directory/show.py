"""`directory show`: teams, their members, agents in no team, and what is imported."""

from typing import Any

import click

from schemas.json_lines import json_line
from streams.cli.options import config_option, json_option, kafka_of, workspace_option
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.workspace import workspace_of
from streams.ops.codec import configured_codec
from streams.ops.directory.state import DirectoryState, Value, read_directory
from streams.settings import Settings

_CHOICES = {True: "selected", False: "deselected", None: "undecided"}


@click.command("show")
@click.option(
    "--undecided", is_flag=True, help="Only those who are there and nobody has decided about: who joined since the last decision."
)
@workspace_option
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, /, *, undecided: bool, workspace: str | None, as_json: bool) -> None:
    """Show the teams of a workspace with their members, and the agents in no team: chosen, imported, in which role."""
    settings = kafka_of(ctx)
    app_id, _ = workspace_of(settings.tenancy, workspace)
    state = run(_read(settings, app_id))
    if as_json:
        for kind, values in (("team", state.teams), ("member", state.members), ("agent", state.agents)):
            for _, value in sorted(values.items()):
                if not undecided or _is_to_decide(value):
                    click.echo(json_line({"kind": kind, **value}))
        return
    table = TextTable("team", "agent", "role", "choice", "imported", pad_edge=False)
    for row in _rows(state, undecided=undecided):
        table.add_row(*row)
    print_table(table)
    if not state.teams and not state.agents:
        click.echo(
            "Nothing is known yet: a `sync` process with the workspace's token reads its lists, or feed them (`directory feed`)."
        )


async def _read(settings: Settings, app_id: str) -> DirectoryState:
    return await read_directory(settings.kafka, await configured_codec(settings), app_id)


def _rows(state: DirectoryState, *, undecided: bool) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for team, value in sorted(state.teams.items()):
        if not undecided or _is_to_decide(value):
            rows.append((_name(team, value), "", "", _choice(value), _imported(value)))
        for (of, agent), member in sorted(state.members.items()):
            if of == team and (not undecided or _is_to_decide(member)):
                who = state.agents.get(agent, {})
                rows.append((_name(team, value), _who(agent, who), _role(who), _choice(member), _imported(who)))
    for agent, value in sorted(state.agents.items()):
        alone = not value["teams"] or value["selected"] is not None
        if alone and (not undecided or _is_to_decide(value)):
            rows.append(("", _who(agent, value), _role(value), _choice(value), _imported(value)))
    return rows


def _is_to_decide(value: Value) -> bool:
    return value["selected"] is None and value["present"]


def _name(identifier: str, value: Value) -> str:
    return f"{value['name'] or '?'} ({identifier})"


def _who(identifier: str, value: Value) -> str:
    return f"{value.get('email') or value.get('name') or '?'} ({identifier})"


def _role(value: Value) -> str:
    chosen, present = value.get("role") or "", value.get("intercom_role")
    return f"{chosen}, in Intercom {present}" if value.get("drift") else chosen


def _choice(value: Value) -> str:
    return _CHOICES[value["selected"]] + ("" if value["present"] else ", not there")


def _imported(value: dict[str, Any]) -> str:
    if not value.get("imported"):
        return ""
    return "yes, request withdrawn" if value.get("request") == "cancelled" else "yes"
