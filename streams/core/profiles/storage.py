"""What of a record is stored: fields and lists that a policy denies are left out of its registers, or kept as keyed hashes.

It looks at one value at a time, so what is stored of joined registers is the join of what is stored of each. It is applied to both
sides of a join: a value and its own hash would count as two values of one moment.
"""

import hmac
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter, is_
from types import MappingProxyType
from typing import Final

from schemas.canonical import canonical_text
from schemas.profiles.policies import ProfilePolicy, is_hash
from schemas.profiles.registers import Layers, Registers, Value
from streams.core.profiles.patterns import ANY, matcher
from streams.core.records.registers import NOTHING, join

CONSENT_FIELDS: Final = frozenset({"unsubscribed_from_emails", "unsubscribed_from_sms", "sms_consent"})
CONSENT_LISTS: Final = frozenset({"subscribed", "unsubscribed"})
LIST_OF_KIND: Final = MappingProxyType({"company": "companies", "tag": "tags", "segment": "segments"})
"""The lists that a policy can deny, by kind of edge. Other edges are subscriptions and marks, which are always stored."""

_OLDER_NAMES: Final = MappingProxyType({"user_id": "external_id", "last_request_at": "last_seen_at"})
_MAPS: Final = ("attributes.", "traits.")
_TRAITS: Final = "traits."
MOST_NAMES: Final = 4096  # of fields that are remembered: a workspace has some dozens
_PARTS: Final = attrgetter(*Registers.__struct_fields__)
_STORED_BY: Final = "stored by"  # kept with the registers: the policy that denies nothing of them


class Fate(Enum):
    """What happens to a field or a list."""

    STORED = "stored"
    HASHED = "hashed"
    DENIED = "denied"


class Storage:
    """Applies one policy. `texts` are the typed fields that are text, `key` is that of hashes."""

    def __init__(self, policy: ProfilePolicy, *, texts: frozenset[str], key: bytes) -> None:
        self._enabled = policy.enabled
        self._everything_allowed = policy.allow is None
        self._allowed = matcher(policy.allow or ())
        self._denied = matcher(policy.deny)
        self._hashed = matcher(policy.hash)
        self._texts = texts
        self._key = key
        self._fate: Callable[[str], Fate] = lru_cache(maxsize=MOST_NAMES)(self._find)
        self._fate_of_kind = {kind: self.fate_of_list(name) for kind, name in LIST_OF_KIND.items()}
        self._denies_lists = Fate.DENIED in self._fate_of_kind.values()
        self._stored_names: set[str] = set()  # of fields, among those seen

    def stored(self, registers: Registers) -> Registers:
        """Return the registers without what is denied; the same object where nothing is."""
        if not self._enabled:
            return NOTHING
        if registers.__dict__.get(_STORED_BY) is self:
            return registers
        now, last, first = self._fields(registers.now), self._fields(registers.last), self._fields(registers.first)
        on, off, since, complete = registers.on, registers.off, registers.since, registers.complete
        if self._denies_lists:
            on, off, since, complete = self._edges(on), self._edges(off), self._edges(since), self._lists(complete)
        contested = registers.contested
        if contested and any(self.fate(name) is Fate.DENIED for name in contested):
            contested = tuple(name for name in contested if self.fate(name) is not Fate.DENIED)
        after = (now, last, first, on, off, since, complete, contested)
        kept = registers if all(map(is_, after, _PARTS(registers))) else Registers(*after)
        kept.__dict__[_STORED_BY] = self
        return kept

    def join(self, a: Registers, b: Registers) -> Registers:
        """Join what may be stored of both. What may be stored of the whole is the whole again."""
        joined = join(self.stored(a), self.stored(b))
        joined.__dict__[_STORED_BY] = self
        return joined

    def fate(self, name: str) -> Fate:
        """Return what happens to a field."""
        return self._fate(name)

    def fate_of_list(self, name: str) -> Fate:
        """Return what happens to a list. A list has no hash."""
        return Fate.DENIED if self._hashed(name) else self._find(name)

    def _find(self, name: str) -> Fate:
        names = _names_of(name)
        if name in CONSENT_FIELDS:
            return Fate.STORED
        if any(map(self._denied, names)):
            return Fate.DENIED
        if any(map(self._hashed, names)):
            return Fate.HASHED if name in self._texts or name.startswith(_MAPS) else Fate.DENIED
        return Fate.STORED if self._everything_allowed or self._allowed(name) else Fate.DENIED

    def _fields(self, layers: Layers) -> Layers:
        if all(self._stores_all_of(values) for _, values in layers):
            return layers
        kept = tuple((version, self._values(values)) for version, values in layers)
        if kept == layers:
            return layers
        return tuple(layer for layer in kept if layer[1])

    def _stores_all_of(self, values: dict[str, Value]) -> bool:
        """Return whether these fields are all stored. Those of a workspace are the same again and again."""
        if self._stored_names.issuperset(values):
            return True
        stored = [name for name in values if self._fate(name) is Fate.STORED]
        if len(self._stored_names) > MOST_NAMES:
            self._stored_names.clear()
        self._stored_names.update(stored)
        return len(stored) == len(values)

    def _values(self, values: dict[str, Value]) -> dict[str, Value]:
        kept: dict[str, Value] = {}
        for name, value in values.items():
            fate = self._fate(name)
            if fate is Fate.STORED:
                kept[name] = value
            elif fate is Fate.HASHED:
                kept[name] = self._hash(name, value)
        return kept

    def _hash(self, name: str, value: Value) -> Value:
        if value is None or is_hash(value):
            return value
        in_map = name.startswith(_MAPS)
        text = str(value) if in_map else canonical_text(str(value))
        digest = f"hmac-sha256:{hmac.digest(self._key, text.encode('utf-8', 'surrogatepass'), sha256).hex()}"
        return canonical_text(digest) if in_map else digest

    def _edges(self, layers: Layers) -> Layers:
        fates = self._fate_of_kind
        if all(fates.get(name.partition(":")[0]) is not Fate.DENIED for _, names in layers for name in names):
            return layers
        kept = (
            (version, {name: on for name, on in names.items() if fates.get(name.partition(":")[0]) is not Fate.DENIED})
            for version, names in layers
        )
        return tuple(layer for layer in kept if layer[1])

    def _lists(self, layers: Layers) -> Layers:
        fates = self._fate_of_kind
        if all(fates.get(kind.strip("#-")) is not Fate.DENIED for _, kinds in layers for kind in kinds):
            return layers
        kept = (
            (version, {kind: ids for kind, ids in kinds.items() if fates.get(kind.strip("#-")) is not Fate.DENIED})
            for version, kinds in layers
        )
        return tuple(layer for layer in kept if layer[1])


def join_stored(storage: Storage | None, known: Registers, asserted: Registers) -> Registers:
    """Join what may be stored of an assertion to a row, which a new policy has perhaps not reached yet."""
    return join(known, asserted) if storage is None else storage.join(known, asserted)


def storage_of(policy: ProfilePolicy, *, texts: frozenset[str], key: bytes) -> Storage | None:
    """Return how to apply a policy; None where it denies nothing."""
    if policy.enabled and policy.allow is None and not policy.deny and not policy.hash:
        return None
    return Storage(policy, texts=texts, key=key)


def _names_of(name: str) -> list[str]:
    """Return the names under which patterns may mean a field: a trait can be a typed field whose value had another type."""
    if not name.startswith(_TRAITS):
        return [name]
    plain = name.removeprefix(_TRAITS)
    return [name, plain, _OLDER_NAMES.get(plain, plain)]


def names_consent(pattern: str) -> bool:
    """Return whether a pattern names consent, which is always stored."""
    return ANY not in pattern and pattern in CONSENT_FIELDS | CONSENT_LISTS
