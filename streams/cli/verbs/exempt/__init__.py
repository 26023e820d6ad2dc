"""`exempt grant|revoke|list`: a failing check is accepted for an account or a workspace, for a time."""

import click

from streams.cli.verbs import VERBS
from streams.cli.verbs.exempt.grant import grant
from streams.cli.verbs.exempt.listing import list_exemptions
from streams.cli.verbs.exempt.revoke import revoke

exempt = click.Group("exempt", help=VERBS["exempt"], commands=[grant, revoke, list_exemptions])
