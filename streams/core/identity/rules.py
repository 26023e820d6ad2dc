"""Which keys of a record may link it to others, by the rules of its tenant."""

from schemas.profiles.identity import EMAIL, NEXT, OWN_IDS, Claim, IdentityRules, Key


class LinkingKeys:
    """Selects the keys of a claim that may link, by a tenant's rules."""

    def __init__(self, rules: IdentityRules) -> None:
        self.limit = rules.limit
        self._order = {name: at for at, name in enumerate(rules.keys)}
        self._only_first = rules.mode == NEXT
        self._blocked = frozenset(entry.lower() if entry.partition(":")[0] in OWN_IDS else entry for entry in rules.blocked)

    def of(self, claim: Claim) -> list[Key]:
        """Return the keys that link, in the order of the rules. A blocked value is nobody's, as if it were not there."""
        keys = [key for key in claim.keys if self.may_link(key)]
        if len(keys) > 1:
            keys.sort(key=lambda key: self._order[key.type])
        return keys[:1] if self._only_first else keys

    def may_link(self, key: Key) -> bool:
        """Return whether a value is of a type that links, and not blocked."""
        return key.type in self._order and not self._is_blocked(key)

    def _is_blocked(self, key: Key) -> bool:
        blocked = self._blocked
        if not blocked:
            return False
        name, value = key
        if f"{name}:{value.lower() if name in OWN_IDS else value}" in blocked:
            return True
        if name != EMAIL:
            return False
        local, _, domain = value.rpartition("@")
        return f"{name}:{local}@" in blocked or f"{name}:@{domain}" in blocked
