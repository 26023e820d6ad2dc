"""What tables have to hold for a simulated workspace, from the simulator's truth and the contract's tables of fields alone.

Written from docs/contract.md and docs/profiles.md. It knows no merge rules: the truth has one state for each object.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Row = dict[str, Any]
ACTIVE = "active"
TOGETHER = " is one person with "
"""What is wrong with a contact because of another one, which is wrong itself: it should be gone."""
INCOMPLETE = " has incomplete "
"""A contact whose lists are known to be cut off, and who waits to be read: what is not known is not wrong."""
BY_WAY_OF = " by way of "
"""What is wrong with a contact that was merged into one which was merged itself: the other may be what is wrong."""
_PLAIN = ("external_id", "role", "email", "phone", "name", "owner_id", "has_hard_bounced", "marked_email_as_spam")
_TIMES = ("created_at", "signed_up_at", "last_seen_at")
_OF_ORGS = ("company_id", "name", "monthly_spend", "session_count", "user_count")
_TIMES_OF_ORGS = ("created_at", "remote_created_at")


def person(app_id: str, contact: Row) -> Row:
    """Return what the person of an active contact has to say, of the fields that the simulator fills."""
    return {
        "status": ACTIVE,
        **{name: contact[name] for name in _PLAIN},
        **{name: _ms(contact[name]) for name in _TIMES},
        "email_allowed": not contact["unsubscribed_from_emails"],
        "companies": sorted(f"{app_id}:{each['id']}" for each in contact["companies"]["data"]),
        "tags": sorted(f"{app_id}:{each['id']}" for each in contact["tags"]["data"]),
        "attributes": {name: f'"{value}"' for name, value in contact["custom_attributes"].items()},
        "unsettled": [],
        "incomplete": [],
    }


def organisation(company: Row) -> Row:
    """Return what the organisation of a company has to say."""
    return {
        "status": ACTIVE,
        **{name: company[name] for name in _OF_ORGS},
        **{name: _ms(company[name]) for name in _TIMES_OF_ORGS},
        "unsettled": [],
    }


def wrong_people(app_id: str, contacts: Iterable[Row], people: Mapping[str, Row], known: Collection[str]) -> list[str]:
    """Return sentences about what people have that is not the truth, or lack of it. `known` were active at the first reading.

    A contact that was gone before that is in none of Intercom's lists, so no person is expected of it, but one of its state is right.
    """
    wrong: list[str] = []
    states = {f"{app_id}:{each['id']}": each for each in contacts}
    places = {record["key"]: (value, record["status"]) for value in people.values() for record in value["records"]}
    for key, contact in states.items():
        found, state = places.get(key), contact["state"]
        if found is None:
            if state == ACTIVE or contact["id"] in known:
                wrong.append(f"{key}, {state}, is no record of a person")
            continue
        value, status = found
        if status != state:
            wrong.append(f"{key} is {status}; {state} is true")
        elif state == ACTIVE:
            others = {record["key"] for record in value["records"] if record["status"] == ACTIVE} - {key}
            wrong += [f"{key}{TOGETHER}{other}" for other in others]
            wrong += [f"{key} {each}" for each in _differences(person(app_id, contact), value) if not others]
        elif state == "merged":
            survivor, into = _survivor(states, key, app_id), f"{app_id}:{contact['merged_into']}"
            if survivor not in {record["key"] for record in value["records"]}:
                by_way = f"{BY_WAY_OF}{into}" if into != survivor else ""
                wrong.append(f"{key}{by_way} is not a record of the person of {survivor}, into whom it was merged")
    return wrong + [f"{key} is a record, and no contact" for key in places.keys() - states.keys()]


def wrong_by_themselves(sentences: Iterable[str]) -> set[str]:
    """Return the keys of objects that are wrong, and not only because another one is."""
    own = (each for each in sentences if TOGETHER not in each and INCOMPLETE not in each)
    keys = {each: each.split(" ")[0].rstrip(",") for each in own}
    ways = {key: each.split(BY_WAY_OF)[1].split(" ")[0] for each, key in keys.items() if BY_WAY_OF in each}
    wrong = set(keys.values()) - ways.keys()
    return wrong | {key for key in ways if not wrong & {*_chain(ways, key)}}


def wrong_organisations(app_id: str, companies: Iterable[Row], orgs: Mapping[str, Row]) -> list[str]:
    """Return sentences about organisations that are not as the truth has them. Those without contacts may be unknown."""
    wrong: list[str] = []
    truth = {f"{app_id}:{each['id']}": each for each in companies}
    places = {record["key"]: (value, record["status"]) for value in orgs.values() for record in value["records"]}
    for key, company in truth.items():
        if key in places:
            wrong += [f"{key} {each}" for each in _differences(organisation(company), places[key][0])]
        elif company["user_count"]:
            wrong.append(f"{key} is no record of an organisation")
    return wrong + [
        f"{key} is {places[key][1]}, and was deleted" for key in places.keys() - truth.keys() if places[key][1] == ACTIVE
    ]


def wrong_memberships(app_id: str, contacts: Iterable[Row], memberships: Iterable[Row]) -> list[str]:
    """Return sentences about memberships that are not there, or should not be. Those of an archived contact may stay: it contributes."""
    contacts = list(contacts)
    archived = {f"{app_id}:{contact['id']}" for contact in contacts if contact["state"] == "archived"}
    truth = {
        (f"{app_id}:{contact['id']}", f"{app_id}:{company['id']}")
        for contact in contacts
        if contact["state"] == ACTIVE
        for company in contact["companies"]["data"]
    }
    found = {(each["record"], each["company"]) for each in memberships}
    missing, more = truth - found, found - truth
    return [f"no membership of {pair}" for pair in missing] + [
        f"a membership of {pair}" for pair in more if pair[0] not in archived
    ]


def _differences(expected: Row, value: Row) -> list[str]:
    shown = {name: sorted(value[name]) if isinstance(value[name], list) else value[name] for name in expected}
    return [f"has {name} {shown[name]!r}; {expected[name]!r} is true" for name in expected if shown[name] != expected[name]]


def _chain(ways: Mapping[str, str], key: str) -> Iterator[str]:
    while key in ways:
        key = ways[key]
        yield key


def _survivor(states: Mapping[str, Row], key: str, app_id: str) -> str:
    while states[key]["merged_into"] is not None:
        key = f"{app_id}:{states[key]['merged_into']}"
    return key


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000
