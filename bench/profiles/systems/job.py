"""The parameters of one trial of a system that is not the product."""

import msgspec

CONTACTS_AGENT, PEOPLE_AGENT, IDENTITY_AGENT, MEMBERSHIPS_AGENT = "contacts", "people", "identity", "memberships"
COMPRESSION = "zstd"
POLL = 2_000  # records in one transaction of the hand-written loops
EXPIRY_MS = 10_000  # of an unfinished transaction


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Read `contacts`, write `patches`, read them, write `people` and `changes`; each hop has a table with a changelog.

    Names are those on the broker. `prepared` is the file with the records that the system without work passes through.
    """

    bootstrap: str
    prefix: str
    partitions: int
    directory: str
    prepared: str = ""

    def topic(self, name: str) -> str:
        """Return a topic's name on the broker."""
        return f"{self.prefix}{name}"

    @property
    def contacts(self) -> str:
        return self.topic("intercom.contacts")

    @property
    def patches(self) -> str:
        return self.topic("person.patches")

    @property
    def people(self) -> str:
        return self.topic("people")

    @property
    def changes(self) -> str:
        return self.topic("people.changes")

    def changelog(self, agent: str) -> str:
        """Return the changelog of a hand-written loop."""
        return self.topic(f"by-hand.{agent}.changelog")
