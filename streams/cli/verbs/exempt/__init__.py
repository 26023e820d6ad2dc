"""`exempt grant|revoke|list`: a failing check is accepted for an account or a workspace, for a time."""

from streams.cli.group import CommandGroup
from streams.cli.verbs import VERBS
from streams.cli.verbs.exempt.grant import grant
from streams.cli.verbs.exempt.listing import list_exemptions
from streams.cli.verbs.exempt.revoke import revoke

exempt = CommandGroup("exempt", help=VERBS["exempt"], commands=[grant, revoke, list_exemptions])
