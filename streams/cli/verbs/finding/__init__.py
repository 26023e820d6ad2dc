"""`finding ack|assign|comment`: what somebody does about an open finding."""

import click

from streams.cli.verbs import VERBS
from streams.cli.verbs.finding.handle import ack, assign, comment

finding = click.Group("finding", help=VERBS["finding"], commands=[ack, assign, comment])
