"""The table of systems that do the job, or move its records."""

import importlib.util
from types import MappingProxyType

import msgspec

from bench.earlier import COMMIT

OURS, BEFORE, NO_WORK, LOOPS, QUIX = "ours", "before", "no_work", "raw_aiokafka", "quixstreams"
TWO_WORKERS, GOVERNED, UNGOVERNED = "ours_two_workers", "ours_with_policies", "before_identity"

_NO_IDENTITY = "6f86b15"  # each contact is a person of its own
_EVERY_RULE = """\
[tenants.profiles]
hash_key = "a key of a benchmark, for hashes of denied fields"
[tenants.identity]
keys = ["external_id", "email", "phone"]
mode = "next"
blocked = ["email:jo@example.com"]
[tenants.policies.person]
strategy = "overwrite"
priority = ["bench0001"]
deny = ["attributes.salary", "traits.*"]
hash = ["attributes.passport"]
select = 'person.status != "archived" && person.name != null'
archive_deleted = true
[tenants.policies.person.sources.bench0001]
strategy = "overwrite"
[tenants.policies.person.fields.created_at]
locked = true
[tenants.policies.person.fields."attributes.plan"]
only_empty = true
[tenants.policies.person.fields.phone]
strategy = "append_only"
[tenants.policies.person.permissions]
email = true
sms = false
"""
"""Rules of every kind that leave in each person what the benchmark looks for."""


class System(msgspec.Struct, frozen=True, kw_only=True):
    """One system. `module` of this package runs it; without one it is the product. `goal` is for ours divided by it."""

    about: str
    module: str | None = None
    verb: tuple[str, ...] = ("worker",)  # of the product
    package: str | None = None  # left out where it is not installed
    goal: float | None = None
    tenant: str = ""  # TOML about the tenant
    commit: str | None = None  # of the product, where it is an earlier one
    persons: str | None = None  # how its persons are written: "avro" or "json"; None where they are no persons

    @property
    def installed(self) -> bool:
        """Return whether its package is here."""
        return self.package is None or importlib.util.find_spec(self.package) is not None


SYSTEMS = MappingProxyType({
    OURS: System(about="the product's worker with all its agents", persons="avro"),
    TWO_WORKERS: System(
        about="`run --workers 2`: two of them beside an idle ingress", verb=("run", "--workers", "2"), persons="avro"
    ),
    GOVERNED: System(
        about="the product's worker with rules of identity and a policy that has one of each kind", tenant=_EVERY_RULE, persons="avro"
    ),
    BEFORE: System(about=f"the same at commit {COMMIT}, in its own environment", commit=COMMIT, persons="avro"),
    UNGOVERNED: System(
        about=f"the same at commit {_NO_IDENTITY}, which has neither identity nor policies",
        commit=_NO_IDENTITY,
        goal=0.85,
        persons="avro",
    ),
    NO_WORK: System(about="our engine passing the same records and bytes, no work", module="no_work", goal=0.4),
    LOOPS: System(about="by hand on aiokafka: JSON, the last write wins, transactions", module="raw_aiokafka", persons="json"),
    QUIX: System(
        about="the same in Quix Streams, exactly-once, RocksDB", module="quix", package="quixstreams", goal=1, persons="json"
    ),
})  # fmt: skip
