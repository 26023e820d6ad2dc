"""What can go wrong, by what to do about it.

SubscriberError
├── UnreadableRecord    a record is not what the contract says; its place is in the text
└── UnknownSchema       a value was written with a schema that this release does not know: upgrade, or name the registry
"""


class SubscriberError(Exception):
    """Base of all: what happened, and what to do, without anything of a record's content."""


class UnreadableRecord(SubscriberError):
    """A record that is no event of a finding, or no row."""


class UnknownSchema(SubscriberError):
    """The schema id of a value is unknown here."""
