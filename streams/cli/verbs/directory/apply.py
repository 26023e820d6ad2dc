"""`directory apply FILE`: a whole selection at once."""

from pathlib import Path

import click

from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from streams.cli.options import kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.directory.report import ChoosingOptions, carry_out, choosing, report
from streams.cli.workspace import workspace_of
from streams.ops.codec import configured_codec
from streams.ops.directory.choose import ChoiceReport, Wish
from streams.ops.directory.selection_file import read_selection, wishes_of
from streams.ops.directory.state import read_directory
from streams.settings import Settings


@click.command("apply")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would be decided, and decide nothing.")
@choosing
def apply(ctx: click.Context, /, *, options: ChoosingOptions, file: Path, dry_run: bool) -> None:
    """Make exactly the selection of FILE hold: what it names is selected, everything else that is selected is deselected.

    FILE is TOML: teams = [...], agents = [...], [members] with a list of agents for each team, [roles] with a role for each agent. Teams are
    named by id or name, agents by id or address. Roles that it does not name stay.
    """
    settings, text = kafka_of(ctx), _text(file)
    if dry_run:
        for wish in run(_wishes(settings, options, text)):
            if options.as_json:
                click.echo(json_line(wish))
            else:
                names = (wish.agent and f"agent {wish.agent}", wish.team and f"team {wish.team}")
                verb = f"role {wish.role}" if wish.role else "select" if wish.selected else "deselect"
                click.echo(f"{' in '.join(name for name in names if name)}: {verb}")
        return
    report(ctx, run(_apply(settings, options, text)), as_json=options.as_json)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadConfiguration(f"{file.name} cannot be read: {error.strerror}. Is it there, and may it be read?") from None
    except UnicodeDecodeError:
        raise BadConfiguration(f"{file.name} is no text in UTF-8. Save it as TOML with that encoding.") from None


async def _wishes(settings: Settings, options: ChoosingOptions, text: str) -> list[Wish]:
    app_id, _ = workspace_of(settings.tenancy, options.workspace)
    return wishes_of(read_selection(text), await read_directory(settings.kafka, await configured_codec(settings), app_id))


async def _apply(settings: Settings, options: ChoosingOptions, text: str) -> list[ChoiceReport]:
    return await carry_out(settings, options, await _wishes(settings, options, text))
