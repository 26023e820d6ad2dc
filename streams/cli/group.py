"""Groups of commands whose help has each command's first sentence whole: click's own cuts it to the rest of the line."""

from typing import Final

import click

_WHOLE: Final = 1_000  # characters: longer than any first sentence


class CommandGroup(click.Group):
    """A group of commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(_WHOLE)) for name, command in commands if command is not None])
