"""Erase a contact: its row keeps the fact alone, and all that was sent of it is withdrawn where it can be.

An erased row has the assignment `ERASED`, which is higher than any other. So it wins in any order, is recognised by the row that a step
reads anyway, and costs contacts that are not erased nothing.
"""

from schemas.codec import Avro
from schemas.errors import InvalidRecord, MustStop
from schemas.ids import derived
from schemas.message import header
from schemas.profiles.erasure import Erasure, decode, find_key, is_genuine
from schemas.profiles.identity import Scope
from schemas.profiles.registers import ERASED, Patch, PatchCause, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.identity.claim_events import withdraw_claim
from streams.agents.membership.edges import edges_of, send_changes
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS, PatchTopic
from streams.engine.agent import Batch, Outbox, Table

ERASED_ROW = SourceRecordRow(NO_REGISTERS, ERASED)
"""All that is left of an erased record."""


def erase(patches: PatchTopic, tenancy: Tenancy, avro: Avro, batch: Batch, table: Table[SourceRecordRow], *, out: Outbox) -> None:
    """Erase each record of a batch of erasures, and withdraw it from its profiles, its claim and its companies.

    One that is erased already is withdrawn again, which changes nothing: a contact that nobody knows can be erased too.
    """
    for record in batch.records:
        erasure, key = decode(avro, record.value), (record.key or b"").decode("utf-8", "replace")
        tenant = _verified(erasure, key, tenancy)
        before = table.get(key)
        if before != ERASED_ROW:
            table.put(key, "", ERASED_ROW)
        cause = PatchCause(header(record.headers, "ce_id") or derived(key, "erasure", erasure.request), erasure.time)
        trace = header(record.headers, "traceparent")
        patch = Patch(tenant, key, ERASED_ROW, cause)
        for profile in sorted(_holders(patches, tenant, key, before, erasure)):
            patches.send(patch, profile=profile, event_id=derived(cause.event, "erased", profile), trace=trace, out=out)
        withdraw_claim(Scope(tenant, patches.profile_type), key, cause, source=patches.source, trace=trace, out=out)
        if before is not None:
            edges = edges_of(key, before.assignment, OpenRecord(before).registers)
            send_changes(key, edges, {}, cause=cause, step="erased", trace=trace, out=out)


def _verified(erasure: Erasure, key: str, tenancy: Tenancy) -> str:
    """Return the tenant that the erasure is of. Raises InvalidRecord for one that nobody with the key has asked for.

    An erasure whose key is not configured stops the process: dropped, it would let the contact live on.
    """
    tenant = tenancy.tenant_of(key)
    if tenant is None or tenant != erasure.tenant or "|" in key:
        raise InvalidRecord(
            "an erasure has the key of a record of its tenant's workspaces and sources; add the workspace or source and redrive the record"
        )
    secret = find_key(tenancy.tenants[tenant].erasure.keys, erasure.key)
    if secret is None:
        raise MustStop(
            f"an erasure of the tenant {tenant} was made with the key {erasure.key}, which is not among [tenants.erasure] keys. Nothing "
            "was changed. Add that key to the configuration: it is needed as long as the erasures made with it are."
        )
    if not is_genuine(erasure, secret, key):
        raise InvalidRecord("the mark of the erasure is not that of its contact: it was not made with the tenant's erasure key")
    return tenant


def _holders(patches: PatchTopic, tenant: str, key: str, before: SourceRecordRow | None, erasure: Erasure) -> set[str]:
    """Return the profiles that hold something of a record: its own, the present one, and those it has been in."""
    present = {before.assignment.profile} if before is not None and before.assignment != ERASED else set()
    return {patches.own_profile(tenant, key), *present, *erasure.profiles}
