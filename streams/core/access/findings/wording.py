"""What findings say to people: one sentence of what is wrong, one of why, one of what to do. `{who}` is the only word about a person."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Words(NamedTuple):
    """`message` and `desc` may use who, app_id, reason and the check's parameters."""

    message: str
    desc: str


_WORDS: Final = MappingProxyType({
    ("C1", "not_identified"): Words(
        "{who} is an Intercom teammate of {app_id} whom the staff directory does not know",
        "No staff record has the account's address, no link names its owner, and it was not classified.",
    ),
    ("C1", "ambiguous"): Words(
        "{who} is an Intercom teammate of {app_id} who could be any of several staff members",
        "Several active staff records have the account's address; none is picked without a decision.",
    ),
    ("C1", "identified"): Words("{who} is identified in the staff directory", "The account belongs to a known staff member."),
    ("C1", "classified"): Words("{who} is classified as {classification}", "Somebody decided what this account is."),
    ("C2", "employment_ended"): Words(
        "{who} left ({ended}) and is still an active Intercom teammate of {app_id}",
        "Employment ended at {employment_ended}; the account is still active.",
    ),
    ("C2", "employed"): Words("{who} is employed", "No source says that employment has ended."),
    ("C3", "no_policy"): Words(
        "Workspace {app_id} has no access policy", "Nobody has said who may have an account in this workspace."
    ),
    ("C3", "configured"): Words("Workspace {app_id} has an access policy", "The policy says who may have an account: {validity}."),
    ("C4", "role_not_valid"): Words(
        "{who} has access to {app_id} and no role that allows it",
        "The policy is {validity}; the person's roles are: {staff_roles}.",
    ),
    ("C4", "intercom_role_not_valid"): Words(
        "{who} has the Intercom role {intercom_role} in {app_id}, which the person's role does not allow",
        "The policy is {validity}; the person's roles are: {staff_roles}.",
    ),
})  # fmt: skip

_UNKNOWN: Final = MappingProxyType({
    "account_not_identified": "whose account it is, is not known",
    "presence_unsettled": "the account was added and removed within the same second, and has to be read again",
    "no_policy": "the workspace has no access policy",
    "no_ticket_source": "the policy asks for approved tickets and no source of tickets is connected",
    "staff_role_unknown": "no staff source says which role the person has",
    "intercom_role_unknown": "Intercom did not say which role the account has; API version 2.16 or later does",
    "validity_unknown": "the policy names a kind of validity that this release does not know",
})  # fmt: skip

_CLOSED: Final = MappingProxyType({
    "fixed": "Resolved: {message}",
    "not_applicable": "No longer applies: {message}",
    "superseded": "Superseded by {superseded_by}: {message}",
    "voided": "Never held: {message}",
})  # fmt: skip

_REMEDIES: Final = MappingProxyType({
    "C1": "Import the staff record that has this address, link the account to its owner, or classify it; or remove the teammate.",
    "C2": "Remove the teammate in Intercom: Settings, Workspace, Teammates; reassign open conversations first.",
    "C3": "Write a policy for this workspace and apply it: intercom-streams policy apply FILE.",
    "C4": "Remove the teammate, change the access, or allow the role in the policy.",
})  # fmt: skip


def message(check: str, reason: str, facts: Mapping[str, str], *, closed_for: str | None = None) -> str:
    """Return the sentence. Words that are not known are left as a dash."""
    known = _Known(facts)
    words = _WORDS.get((check, reason))
    text = words.message.format_map(known) if words else f"{known['who']}: not known, because {_UNKNOWN.get(reason, reason)}"
    return _CLOSED[closed_for].format(message=text, superseded_by=known["superseded_by"]) if closed_for else text


def description(check: str, reason: str, facts: Mapping[str, str]) -> str:
    """Return why, without a word about persons."""
    words = _WORDS.get((check, reason))
    return words.desc.format_map(_Known(facts)) if words else f"Not known: {_UNKNOWN.get(reason, reason)}."


def remedy(check: str) -> str:
    """Return what to do."""
    return _REMEDIES[check]


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"
