"""Every error that crosses a package, by what to do about it.

IntercomStreamsError
├── InvalidRecord           never retry: this input can never be processed; quarantine or dead-letter it
├── Unavailable             retry: an outside system does not answer, and may recover
│   ├── StoreFailed         a table's disk is full or failing
│   ├── TopicMissing        the cluster has no such topic yet
│   └── Fenced              another process has begun to write the same
└── MustStop                stop the process: an operator has to decide or fix something
    ├── BadConfiguration    the configuration is wrong; the message names the key
    └── MissingRecords      a log lost records that were not read yet
"""


class IntercomStreamsError(Exception):
    """Base of all: the text has what happened, the likely cause and what to do, never a payload."""


class InvalidRecord(IntercomStreamsError):
    """An input that can never be processed, however often it is retried."""


class Unavailable(IntercomStreamsError):
    """An outside system does not answer; a later retry may work."""


class StoreFailed(Unavailable):
    """A table on disk can be neither read nor written. Its rows are in its changelog, so nothing is lost."""


class TopicMissing(Unavailable):
    """The cluster does not have a topic; somebody may create it."""


class Fenced(Unavailable):
    """Another process began to write the same a moment later, and this one can write no more; trying again is safe."""


class MustStop(IntercomStreamsError):
    """Continuing would lose or corrupt data; a person has to act."""


class BadConfiguration(MustStop):
    """A configuration key is wrong; the text has the key and the expected value."""


class MissingRecords(MustStop):
    """A log no longer has records that were not read yet."""
