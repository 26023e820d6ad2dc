"""`account link|unlink|classify|undo`: whose an account is, and what it is."""

from streams.cli.group import CommandGroup
from streams.cli.verbs import VERBS
from streams.cli.verbs.account.classify import classify
from streams.cli.verbs.account.link import link, unlink
from streams.cli.verbs.account.undo import undo

account = CommandGroup("account", help=VERBS["account"], commands=[link, unlink, classify, undo])
