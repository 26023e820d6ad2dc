"""Which contacts companies have: those of the past by arithmetic, and what has changed since by an index."""

from collections import Counter, defaultdict

from connectors.simulator.workspace.contacts import PastContacts, SimulatedContact, members_of


class Memberships:
    """An index of the contacts that changed; the others are found without one."""

    def __init__(self, past: PastContacts) -> None:
        self._past = past
        self._companies, self._contacts = past.spec.companies, past.spec.contacts
        self._changed: set[int] = set()
        self._gone: Counter[int] = Counter()  # by company, how many of its contacts of the past have changed
        self._now: defaultdict[int, set[int]] = defaultdict(set)  # by company, its contacts among those that have changed

    def changed(self, before: SimulatedContact | None, row: SimulatedContact) -> None:
        """Take a change of a contact, which was `before` (None: it is new)."""
        if row.number not in self._changed:
            self._changed.add(row.number)
            if row.number < self._contacts:
                self._gone.update(self._past(row.number).companies)
        elif before is not None:
            for company in before.companies:
                self._now[company].discard(row.number)
        if row.listed:
            for company in row.companies:
                self._now[company].add(row.number)

    def of(self, company: int) -> list[int]:
        """Return the listed contacts that belong to a company, by number."""
        kept = (number for number in self._of_past(company) if number not in self._changed)
        return sorted([*kept, *self._now.get(company, ())])

    def count(self, company: int) -> int:
        return len(self._of_past(company)) - self._gone[company] + len(self._now.get(company, ()))

    def populated(self, company: int) -> bool:
        """Whether a company has a contact: all of the past had."""
        if company not in self._gone and company not in self._now:
            return company < self._companies
        return self.count(company) > 0

    @property
    def touched(self) -> set[int]:
        """The companies whose contacts changed."""
        return {*self._gone, *self._now}

    def _of_past(self, company: int) -> list[int]:
        return members_of(company, self._companies, self._contacts) if company < self._companies else []
