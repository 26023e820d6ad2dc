"""`directory`: which teams and agents a workspace has, and which of them are imported, in which role."""

from streams.cli.group import CommandGroup
from streams.cli.verbs import VERBS
from streams.cli.verbs.directory.apply import apply
from streams.cli.verbs.directory.decide import cancel, deselect, resend, role, select
from streams.cli.verbs.directory.feed import feed
from streams.cli.verbs.directory.show import show

directory = CommandGroup(
    "directory", help=VERBS["directory"], commands=[show, select, deselect, role, resend, cancel, apply, feed]
)
