"""Claims of a tenant's records, first those of new records and then changes of some, and the person that each record must end at."""

import random
from collections.abc import Iterable, Iterator

import msgspec

from bench.product import APP_ID
from connectors.kafka.publisher import OutboundRecord
from schemas.ids import derived
from schemas.profiles.identity import CLAIM, Claim, ClaimMessage, Key
from schemas.profiles.registers import PatchCause

TENANT = "bench"
TOPIC = "identity.claims"
_BEGAN_MS = 1_760_000_000_000
_SECOND = 1_000
_SEED = 19
_SHARING = 0.05  # new records that have the address of an earlier one
_RECORDS_A_CHANGE = 10
_LARGEST = 20  # records with one address, well below the limit


class ClaimHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The number of each record's address before and after the changes; record n is a second older than record n + 1."""

    first: tuple[int, ...]
    changed: dict[int, int]

    @property
    def records(self) -> int:
        return len(self.first)

    def new_records(self) -> Iterator[OutboundRecord]:
        """Yield the first claim of each record."""
        return (_claim(number, address, f"new-{number}") for number, address in enumerate(self.first))

    def changes(self) -> Iterator[OutboundRecord]:
        """Yield the claims of the records that change their address: half leave others, half join some."""
        return (_claim(number, address, f"changed-{number}") for number, address in self.changed.items())

    def own_profiles(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the profile that each record is by itself."""
        return {key: derived(TENANT, "person", key) for key in keys}

    def moved(self) -> dict[str, str]:
        """Return the profile of each record that is not a person of its own in the end."""
        founders: dict[int, int] = {}
        found = {}
        for number, address in enumerate(self.first):
            address = self.changed.get(number, address)
            founder = founders.setdefault(address, number)
            if founder != number:
                found[key_of(number)] = profile_of(founder)
        return found


def key_of(number: int) -> str:
    """Return the key of a record."""
    return f"{APP_ID}:{number:024x}"


def profile_of(number: int) -> str:
    """Return the profile that is named after a record."""
    return derived(TENANT, "person", key_of(number))


def history(records: int) -> ClaimHistory:
    """Return the claims of so many records, the same each time."""
    chance = random.Random(_SEED)
    first: list[int] = []
    holders: dict[int, int] = {}
    for number in range(records):
        shared = chance.randrange(number) if number and chance.random() < _SHARING else number
        address = first[shared] if shared < number and holders[first[shared]] < _LARGEST else number
        first.append(address)
        holders[address] = holders.get(address, 0) + 1
    changed: dict[int, int] = {}
    for number in chance.sample(range(records), records // _RECORDS_A_CHANGE):
        address = records + number if chance.random() < 0.5 else first[chance.randrange(records)]
        if holders.get(address, 0) < _LARGEST:
            changed[number] = address
            holders[address] = holders.get(address, 0) + 1
    return ClaimHistory(first=tuple(first), changed=changed)


def _claim(number: int, address: int, event: str) -> OutboundRecord:
    keys = (Key("external_id", f"user-{number}"), Key("email", f"person.{address}@example.com"))
    message = ClaimMessage(Claim(created=_BEGAN_MS + number * _SECOND, keys=keys), PatchCause(event, _BEGAN_MS))
    return OutboundRecord(TOPIC, f"{TENANT}|{key_of(number)}".encode(), CLAIM.encode(message), [], _BEGAN_MS)
