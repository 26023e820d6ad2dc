"""`approval grant|revoke`: a request for access was approved, for a policy by tickets."""

from streams.cli.group import CommandGroup
from streams.cli.verbs import VERBS
from streams.cli.verbs.approval.grant import grant
from streams.cli.verbs.approval.revoke import revoke

approval = CommandGroup("approval", help=VERBS["approval"], commands=[grant, revoke])
