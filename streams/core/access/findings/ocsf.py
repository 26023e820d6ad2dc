"""A finding as OCSF Compliance Finding JSON, as security tools read it: captions beside the numbers, persons where OCSF has them.

OCSF 1.6, class 2003. A field without a value is left out, as OCSF asks.
"""

from types import MappingProxyType
from typing import Any, Final

from schemas.access.findings import Finding, FindingEvidence, FindingPersonalData, Resource
from schemas.plain_values import plain

PRODUCT: Final = "intercom-streams"

_ACTIVITY: Final = MappingProxyType({1: "Create", 2: "Update", 3: "Close"})
_SEVERITY: Final = MappingProxyType({1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"})
_CONFIDENCE: Final = MappingProxyType({1: "Low", 2: "Medium", 3: "High"})
_STATUS: Final = MappingProxyType({1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"})
_COMPLIANCE: Final = MappingProxyType({1: "Pass", 2: "Warning", 3: "Fail"})
_USER: Final = 1  # user.type_id of an ordinary user
_PROFILE: Final = "security_control"  # `confidence_id` is an attribute of this profile, and no event may have it without
_OTHER: Final = 99  # account.type_id of a kind that OCSF does not list; `type` names it


def to_ocsf(finding: Finding, *, version: str | None = None) -> dict[str, Any]:
    """Return the JSON value. `version` is the product's, which is in no id and no hash."""
    whole = plain(finding)
    whole.pop("person")
    whole |= {
        "activity_name": _ACTIVITY[finding.activity_id],
        "category_name": "Findings",
        "class_name": "Compliance Finding",
        "type_name": f"Compliance Finding: {_ACTIVITY[finding.activity_id]}",
        "severity": _SEVERITY[finding.severity_id],
        "confidence": _CONFIDENCE[finding.confidence_id],
        "status": _STATUS[finding.status_id],
        "message": _message(finding),
        "resources": [_resource(finding, resource) for resource in finding.resources],
        "evidences": [_evidence(cited) for cited in finding.evidences],
    }
    whole["metadata"] |= {"product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": version}, "profiles": [_PROFILE]}
    for judged in (whole["compliance"], *whole["compliance"]["checks"]):
        judged["status"] = _COMPLIANCE.get(judged["status_id"], "Other")
    whole["compliance"]["status_details"] = [finding.unmapped.reason]
    whole["unmapped"]["candidates"] = _candidates(finding)
    whole["comment"] = _comment(finding)
    return _present(whole)


def _comment(finding: Finding) -> str | None:
    """Return the reason of the exemption, else the comment of who handled the finding last."""
    person = finding.person
    return (person.exemption_reason or person.comment) if person else None


def _message(finding: Finding) -> str:
    """Say who, where the Avro form, whose message is not personal, names the account only."""
    person = finding.person
    who = (person.account_address or person.account_name) if person else None
    return finding.message if who is None else finding.message.replace(f"Account {finding.unmapped.account}", who, 1)


def _resource(finding: Finding, resource: Resource) -> dict[str, Any]:
    person, data = finding.person, resource.data
    shown: dict[str, Any] = {"uid": resource.uid, "type": resource.type, "role_id": resource.role_id, "role": "Affected"}
    if data is not None:
        shown["data"] = {
            "role": {"id": data.role_id, "name": data.role_name},
            "has_inbox_seat": data.has_inbox_seat,
            "team_ids": None if data.team_ids is None else list(data.team_ids),
            "classification": data.classification,
            "app_id": finding.unmapped.app_id,
        }
    if person is not None:
        shown["name"] = person.account_address or person.account_name
        if resource.owner_uid is not None:
            shown["owner"] = _owner(resource.owner_uid, resource, person)
    return shown


def _owner(uid: str, resource: Resource, person: FindingPersonalData) -> dict[str, Any]:
    """Return the owner with the account in question. Readers need a name of both, so an id stands where no name is known."""
    address = person.owner_addresses[0] if person.owner_addresses else None
    return {
        "uid": uid,
        "name": person.owner_name or address or uid,
        "email_addr": address,
        "type_id": _USER,
        "account": {
            "uid": resource.uid,
            "name": person.account_address or person.account_name or resource.uid,
            "type": resource.type,
            "type_id": _OTHER,
        },
    }


def _evidence(cited: FindingEvidence) -> dict[str, Any]:
    return {"data": plain(cited)}


def _candidates(finding: Finding) -> list[dict[str, Any]]:
    known = {each.staff: each for each in finding.person.candidates} if finding.person else {}
    return [
        {"staff": staff, "name": known[staff].name, "addresses": list(known[staff].addresses)}
        if staff in known
        else {"staff": staff}
        for staff in finding.unmapped.candidates
    ]


def _present(value: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no value, at every depth."""
    kept: dict[str, Any] = {}
    for name, part in value.items():
        if type(part) is dict:
            part = _present(part) or None
        elif type(part) is list:
            part = [_present(each) if type(each) is dict else each for each in part]
        if part is not None:
            kept[name] = part
    return kept
