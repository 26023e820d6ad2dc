"""Claims for tests: a tenant's claims in memory, and random ones with few values, so that much is shared."""

from random import Random

from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import Claim, IdentityRules, Key, Merge
from schemas.profiles.version import Version
from streams.core.identity.components import Claimants

RECORDS = tuple(f"{app}:{number}" for app in ("ws1", "ws2") for number in range(6))
NAMED = ("ws1:@email:ada@a.org", "ws1:@email:ADA@a.org", "ws2:@email:ada@a.org", "ws1:@external_id:7", "ws2:@external_id:8")
"""What activities name by a value: each claims that value, and nothing else."""
EVERYBODY = (*RECORDS, *NAMED)
RULES = (
    IdentityRules(),
    IdentityRules(mode="next"),
    IdentityRules(keys=("email", "phone", "external_id"), mode="next", limit=3),
    IdentityRules(keys=("phone",), blocked=("phone:+1",)),
    IdentityRules(keys=("external_id", "email", "phone"), limit=2, blocked=("email:@b.org", "external_id:NULL")),
)


class ClaimSet:
    """`streams.core.identity.components.Claims` over a dictionary."""

    def __init__(self, claims):
        self.claims = claims

    def claim(self, record):
        return self.claims.get(record)

    def claimants(self, key, most):
        found = [record for record in sorted(self.claims) if key in self.claims[record].keys]
        named = [record for record in found if self.claims[record].answer_to == VALUE_KIND]
        return Claimants([record for record in found if record not in named][:most], named[:most])

    def merged_into(self, record):
        return [source for source in sorted(self.claims) if any(merge.target == record for merge in self.claims[source].merges)]


def version(number):
    return Version(number, 4, 0, number, f"e{number}")


def random_claim(record, chance: Random):
    if record in NAMED:
        kind, _, value = record.partition("@")[2].partition(":")
        return Claim(keys=(Key(kind, value.lower()),), answer_to=VALUE_KIND)
    keys = []
    if chance.random() < 0.5:
        keys.append(Key("external_id", chance.choice(("7", "8", "null", "Null"))))
    if chance.random() < 0.7:
        keys.append(Key("email", chance.choice(("ada@a.org", "bo@b.org", "test@a.org", "cy@a.org"))))
    if chance.random() < 0.3:
        keys.append(Key("phone", chance.choice(("+1", "+2"))))
    targets = chance.sample(RECORDS, chance.choice((0, 0, 0, 0, 1, 1, 2)))
    app = record.partition(":")[0]
    merges = sorted({f"{app}:{target.partition(':')[2]}" for target in targets})
    return Claim(
        created=chance.choice((None, 1000, 2000, 3000)),
        keys=tuple(keys),
        merges=tuple(Merge(target, version(chance.randrange(1, 9))) for target in merges),
    )
