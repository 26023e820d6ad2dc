"""The policies that an agent applies: read from its topic into a row for each tenant, and prepared once for each step that needs one."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from schemas.errors import InvalidRecord, MustStop
from schemas.message import Message
from schemas.profiles.policies import POLICY, PolicyInForce, ProfilePolicy
from schemas.profiles.registers import PatchCause, ProfileTableRow, RecordTableRow
from schemas.tenancy import Tenancy
from streams.core.profiles.public_schema import PublicSchema
from streams.core.profiles.rules import NO_RULES, ProfileRules, rules_of
from streams.engine.agent import Outbox, Table

_NO_POLICY: Final = ProfilePolicy()


class PolicyTable(Protocol):
    """The policies of tenants in an agent's table."""

    def get(self, tenant: str) -> PolicyInForce | None: ...
    def put(self, tenant: str, row: PolicyInForce) -> None: ...


def group_of(tenant: str) -> str:
    """Return the group of a tenant's policy: no record's key and no profile's id begins with a colon."""
    return f":{tenant}"


class RecordPolicies:
    """Policies in a table of records."""

    def __init__(self, table: Table[RecordTableRow]) -> None:
        self._table = table

    def get(self, tenant: str) -> PolicyInForce | None:
        row = self._table.get(group_of(tenant))
        return row if isinstance(row, PolicyInForce) else None

    def put(self, tenant: str, row: PolicyInForce) -> None:
        self._table.put(group_of(tenant), "", row)


class TablePolicies:
    """Policies in a table of profiles."""

    def __init__(self, table: Table[ProfileTableRow]) -> None:
        self._table = table

    def get(self, tenant: str) -> PolicyInForce | None:
        row = self._table.get(group_of(tenant))
        return None if row is None else row.policy

    def put(self, tenant: str, row: PolicyInForce) -> None:
        self._table.put(group_of(tenant), "", ProfileTableRow(policy=row))


class AppliedPolicy(NamedTuple):
    """A version of a tenant's policy that was put in force, and how its rules were before."""

    tenant: str
    version: int
    before: ProfileRules
    after: ProfileRules


class Policies:
    """The policies of one kind of profile. `topic` is where the agent gets them from."""

    def __init__(self, topic: str, schema: PublicSchema, tenancy: Tenancy) -> None:
        self.topic = topic
        self._schema = schema
        self._keys: Mapping[str, bytes] = {
            name: tenant.profiles.hash_key.reveal().encode() for name, tenant in tenancy.tenants.items()
        }
        self._prepared = lru_cache(maxsize=256)(self._prepare)

    def rules(self, tenant: str, row: PolicyInForce | None) -> ProfileRules:
        """Return the rules that a row means. Raises MustStop where this process cannot apply them."""
        if row is None:
            return NO_RULES
        try:
            return self._prepared(tenant, row.message.policy)
        except InvalidRecord as error:
            raise MustStop(
                f"the policy in force for the tenant {tenant} cannot be applied: {error}. Start this worker with the release that applied it."
            ) from error

    def receive(self, record: Message, table: PolicyTable, out: Outbox) -> AppliedPolicy | None:
        """Put a policy in force, unless it is that already or an older one. Raises InvalidRecord for one that is none.

        One that says the same as the policy before it is applied too: the work of a version ends with the version, and may not have been done.
        """
        message = POLICY.receive(record.value or b"", out)
        tenant, _, kind = (record.key or b"").decode("utf-8", "replace").partition("|")
        if not tenant or kind != self._schema.kind:
            raise InvalidRecord(
                f"a policy of {self.topic} has the key `tenant|{self._schema.kind}`; `profiles policy apply` writes them"
            )
        before = table.get(tenant)
        if before is not None and before.message.version >= message.version:
            return None
        after = self._prepared(tenant, message.policy)
        table.put(tenant, PolicyInForce(message))
        if before is None and message.policy == _NO_POLICY:
            return None
        return AppliedPolicy(tenant, message.version, self.rules(tenant, before), after)

    def _prepare(self, tenant: str, policy: ProfilePolicy) -> ProfileRules:
        key = self._keys.get(tenant, b"")
        if policy.hash and not key:
            raise MustStop(
                f"the policy of the tenant {tenant} keeps fields as keyed hashes, and this worker's configuration has no key for them. "
                "Nothing was changed. Set hash_key under [tenants.profiles], the same for all workers."
            )
        return rules_of(policy, self._schema, key)


class TenantRules:
    """The rules of tenants within one step: each is looked up at its first use, so that tenants without a policy cost nothing more."""

    def __init__(self, policies: Policies, table: PolicyTable) -> None:
        self._policies = policies
        self._table = table
        self._known: dict[str, ProfileRules] = {}

    def of(self, tenant: str) -> ProfileRules:
        """Return a tenant's rules."""
        rules = self._known.get(tenant)
        if rules is None:
            rules = self._known[tenant] = self._policies.rules(tenant, self._table.get(tenant))
        return rules


def cause_of(row: PolicyInForce) -> PatchCause:
    """Return a policy as the cause of what follows from it."""
    return PatchCause(row.message.event, row.message.time)
