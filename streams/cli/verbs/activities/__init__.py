"""`activities`: what people did, as it is stored."""

from streams.cli.verbs.activities.adoption import activities

__all__ = ["activities"]
