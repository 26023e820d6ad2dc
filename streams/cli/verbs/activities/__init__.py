"""`activities`: what people did, as it is stored."""

from streams.cli.verbs.activities import explanation, purge, retention
from streams.cli.verbs.activities.adoption import activities

__all__ = ["activities", "explanation", "purge", "retention"]
