"""`activities`: what people did, as it is stored."""

from streams.cli.verbs.activities import purge, retention
from streams.cli.verbs.activities.adoption import activities

__all__ = ["activities", "purge", "retention"]
