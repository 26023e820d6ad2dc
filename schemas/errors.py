"""Every error of ours that crosses a package, by what to do about it.

IntercomStreamsError
├── InvalidRecord           never retry: this input can never be understood; quarantine or dead-letter it
├── Unavailable             retry: something outside is away and may come back
│   └── StoreFailed         a table's disk is full or failing
└── MustStop                stop the process: an operator has to decide or fix something
    ├── BadConfiguration    the configuration is wrong; the message names the key
    └── MissingRecords      a log lost records that were not read yet
"""


class IntercomStreamsError(Exception):
    """Carry what happened, the likely cause and what to do, never a payload."""


class InvalidRecord(IntercomStreamsError):
    """Say that an input can never be understood, however often it is tried."""


class Unavailable(IntercomStreamsError):
    """Say that something outside does not answer; trying again later may work."""


class StoreFailed(Unavailable):
    """Say that a table on disk can be neither read nor written. What it held is in its changelog, so nothing is lost."""


class MustStop(IntercomStreamsError):
    """Say that going on would lose or corrupt something; a person has to act."""


class BadConfiguration(MustStop):
    """Say which configuration key is wrong and what is expected there."""


class MissingRecords(MustStop):
    """Say that a log no longer holds what we have not read yet."""
