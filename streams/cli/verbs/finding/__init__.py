"""`finding ack|assign|comment`: what somebody does about an open finding."""

from streams.cli.group import CommandGroup
from streams.cli.verbs import VERBS
from streams.cli.verbs.finding.handle import ack, assign, comment

finding = CommandGroup("finding", help=VERBS["finding"], commands=[ack, assign, comment])
