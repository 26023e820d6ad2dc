"""Who is one person, from all claims at once: a second, naive reading of docs/profiles.md. Change it only when that page changes."""

from itertools import combinations

from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import Claim, IdentityRules


def counted_merges(claims):
    """Section 1: oldest first, a merge that closes a cycle of those before does not count."""
    counted = set()
    every = sorted((merge.version.time, record, merge.target) for record, claim in claims.items() for merge in claim.merges)
    for _, source, target in every:
        ways = {target}
        while more := {end for start, end in counted if start in ways} - ways:
            ways |= more
        if source not in ways:
            counted.add((source, target))
    return counted


def is_blocked(key, rules):
    entries = {entry.lower() if entry.startswith("external_id:") else entry for entry in rules.blocked}
    value = key.value.lower() if key.type == "external_id" else key.value
    forms = {f"{key.type}:{value}"}
    if key.type == "email":
        forms |= {f"email:{value.rpartition('@')[0]}@", f"email:@{value.rpartition('@')[2]}"}
    return bool(forms & entries)


def connecting_keys(claim, rules):
    """Sections 2 and 4, for a contact that was not merged away."""
    keys = [key for name in rules.keys for key in claim.keys if key.type == name and not is_blocked(key, rules)]
    return keys[:1] if rules.mode == "next" else keys


def pairs(claims, rules):
    """Every connection of two records, or of a record and an unknown target."""
    merged_away = {source for source, _ in counted_merges(claims)}
    yield from ((record, merge.target) for record, claim in claims.items() for merge in claim.merges)
    for a, b in combinations(claims, 2):
        if not {a, b} & merged_away:
            for key in connecting_keys(claims[a], rules):
                if key in connecting_keys(claims[b], rules) and connects(key, {a, b}, claims, rules.limit):
                    yield a, b


def is_named(claim):
    """What activities name by a value follows whose value it is. It is no claimant, and names no person."""
    return claim.answer_to == VALUE_KIND


def connects(key, both, claims, limit):
    """Section 2: contacts and records are counted, and what is named by the value is counted for itself."""
    claimants = [claim for claim in claims.values() if key in claim.keys]
    named = sum(map(is_named, claimants))
    return len(claimants) - named <= limit and (named <= limit or not any(is_named(claims[each]) for each in both))


def people(claims: dict[str, Claim], rules: IdentityRules):
    """Return the founder of each record's person, and the merges of the record that do not count."""
    groups = {name: {name} for name in [*claims, *(merge.target for claim in claims.values() for merge in claim.merges)]}
    for a, b in pairs(claims, rules):
        joined = groups[a] | groups[b]
        for name in joined:
            groups[name] = joined
    counted = counted_merges(claims)
    found = {}
    for record, claim in claims.items():
        known = [each for each in groups[record] if each in claims]
        known = [each for each in known if not is_named(claims[each])] or known
        dated = [each for each in known if claims[each].created is not None]
        founder = min(dated, key=lambda each: (claims[each].created, each)) if dated else min(known)
        ignored = sorted(merge.target for merge in claim.merges if (record, merge.target) not in counted)
        found[record] = (founder, tuple(ignored))
    return found
