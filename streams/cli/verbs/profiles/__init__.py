"""`profiles`: people and organisations, as operators ask about them."""

from streams.cli.group import CommandGroup
from streams.cli.verbs import VERBS
from streams.cli.verbs.profiles.erase import erase, erasures
from streams.cli.verbs.profiles.explain import explain
from streams.cli.verbs.profiles.export import export
from streams.cli.verbs.profiles.fields import fields
from streams.cli.verbs.profiles.find import find
from streams.cli.verbs.profiles.policy import policy
from streams.cli.verbs.profiles.preview import preview
from streams.cli.verbs.profiles.show import show
from streams.cli.verbs.profiles.skipped import skipped
from streams.cli.verbs.profiles.withdraw import withdraw

profiles = CommandGroup(
    "profiles",
    help=VERBS["profiles"],
    commands=[show, explain, find, fields, policy, preview, skipped, withdraw, export, erase, erasures],
)
