"""Endpoints of teammates, teams, conversations, tickets, articles, the activity log, and the small lists."""

from collections.abc import Iterator
from typing import Any

from connectors.simulator.rest.calls import Call, Endpoint
from connectors.simulator.rest.lists import LazySequence, ListForm, by_cursor, by_number, found_by_search
from connectors.simulator.rest.replies import Refused, Reply, invalid, missing
from connectors.simulator.rest.search import TimeRules
from connectors.simulator.workspace import catalogue
from connectors.simulator.workspace.activities import EVENT_TYPES
from connectors.simulator.workspace.contacts import TAGS
from connectors.simulator.workspace.conversations import (
    FIRST_CONVERSATION,
    SimulatedConversation,
    conversation_number,
)
from connectors.simulator.workspace.spec import PAST_DAYS
from connectors.simulator.workspace.teammates import FIRST_ID, TEAMS, rest_team, rest_teammate
from connectors.simulator.workspace.tickets import ticket_number

_ROLES_SINCE = _NEW_LISTS_SINCE = (2, 16)
_CONVERSATIONS = ListForm("conversation.list", "conversations", 20)
_TICKETS = ListForm("ticket.list", "tickets", 20)
_DELETED = ListForm("conversations.list", "conversations", 20, 60)
_SECONDS, _RANGES = TimeRules(), TimeRules(ranges=True)


def me(call: Call) -> Reply:
    spec = call.workspace.spec
    owner = call.workspace.teammates.get(FIRST_ID) or next(iter(call.workspace.teammates.values()))
    app = {
        "type": "app", "id_code": spec.app_id, "name": "Simulated workspace", "created_at": spec.past_ends_ms // 1000 - PAST_DAYS * 86_400,
        "secure": False, "identity_verification": False, "timezone": spec.time_zone, "region": spec.region.upper(),
    }  # fmt: skip
    person = rest_teammate(owner, with_role=False)
    shown = {name: person[name] for name in ("type", "id", "name", "email", "has_inbox_seat")}
    return Reply(200, {**shown, "email_verified": True, "app": app, "avatar": {"type": "avatar", "image_url": None}})


def teammates(call: Call) -> Reply:
    found = [_teammate(call, each) for each in call.workspace.teammates]
    return Reply(200, {"type": "admin.list", "admins": found})


def teammate(call: Call) -> Reply:
    (text,) = call.ids
    if not (text.isascii() and text.isdigit()) or int(text) not in call.workspace.teammates:
        raise missing("Admin")
    return Reply(200, _teammate(call, int(text)))


def _teammate(call: Call, number: int) -> dict[str, Any]:
    return rest_teammate(call.workspace.teammates[number], with_role=call.version >= _ROLES_SINCE)


def teams(call: Call) -> Reply:
    return Reply(200, {"type": "team.list", "teams": [rest_team(n, call.workspace.teammates) for n in range(1, len(TEAMS) + 1)]})


def team(call: Call) -> Reply:
    (text,) = call.ids
    if text not in {str(number) for number in range(1, len(TEAMS) + 1)}:
        raise missing("Team")
    return Reply(200, rest_team(int(text), call.workspace.teammates))


def activity_logs(call: Call) -> Reply:
    if "created_at_after" not in call.query:
        raise invalid("created_at_after is missing", "parameter_not_found")
    return _activities(call, call.query, 20)


def search_activity_logs(call: Call) -> Reply:
    if call.version < _NEW_LISTS_SINCE:
        raise missing("Resource")
    if "created_at_after" not in call.body:
        raise invalid("created_at_after is missing", "parameter_not_found")
    return _activities(call, call.body, 250)


def _activities(call: Call, asked: Any, most: int) -> Reply:
    """Return entries of a time, the latest first."""
    rows, types = call.workspace.activities, asked.get("event_types")
    if not isinstance(types, list | None):
        raise invalid("event_types is a list")
    after = call.number(asked.get("created_at_after"), 0)
    before = call.number(asked.get("created_at_before"), call.now_ms // 1000 + 1)
    window = (after + 1) * 1000, before * 1000

    def entries() -> Iterator[dict[str, Any]]:
        found = (rows.get(number) for _, number in rows.between(*window, descending=True))
        return (call.workspace.activity(row) for row in found if row is not None and (not types or row.activity_type in types))

    count = sum(1 for _ in entries()) if types else rows.count_between(*window)
    form = ListForm("activity_log.list", "activity_logs", 20, most)
    return by_number(call, form, LazySequence(entries, count), asked)


def activity_log_event_types(call: Call) -> Reply:
    if call.version < _NEW_LISTS_SINCE:
        raise missing("Resource")
    return Reply(200, {"type": "activity_log_event_type.list", "event_types": list(EVENT_TYPES)})


def conversations(call: Call) -> Reply:
    rows, workspace = call.workspace.conversations, call.workspace
    return by_cursor(
        call,
        _CONVERSATIONS,
        lambda after: (
            (n, workspace.conversation(row, call.version)) for n in rows.numbers(after) if (row := rows.get(n)) is not None
        ),
        rows.listed,
    )


def search_conversations(call: Call) -> Reply:
    workspace = call.workspace
    return found_by_search(
        call, _CONVERSATIONS, workspace.conversations, lambda row: workspace.conversation(row, call.version), _SECONDS
    )


def conversation(call: Call) -> Reply:
    row = call.workspace.conversations.get(conversation_number(call.ids[0]))
    if row is None or row.deleted_ms:
        raise missing("Conversation")
    return Reply(200, call.workspace.conversation(row, call.version, with_parts=True))


def deleted_conversations(call: Call) -> Reply:
    if call.version < _NEW_LISTS_SINCE:
        raise missing("Conversation")
    workspace = call.workspace
    if call.query.get("order", "desc") == "asc":
        rows = list(workspace.deleted_conversations())[::-1]
        return by_number(call, _DELETED, [_deleted(row) for row in rows])
    every = LazySequence(lambda: map(_deleted, workspace.deleted_conversations()), workspace.deleted_count())
    return by_number(call, _DELETED, every)


def _deleted(row: SimulatedConversation) -> dict[str, Any]:
    identifier = str(FIRST_CONVERSATION + row.number)
    return {"type": "conversation", "id": identifier, "metrics_retained": True, "deleted_at": row.deleted_ms // 1000}


def search_tickets(call: Call) -> Reply:
    return found_by_search(call, _TICKETS, call.workspace.tickets, call.workspace.ticket, _RANGES)


def ticket(call: Call) -> Reply:
    row = call.workspace.tickets.get(ticket_number(call.ids[0]))
    if row is None:
        raise missing("Ticket")
    return Reply(200, call.workspace.ticket(row))


def articles(call: Call) -> Reply:
    """Return articles, those updated last first."""
    spec = call.workspace.spec
    return by_number(call, ListForm(default=25), [catalogue.article(spec, number) for number in range(spec.articles)])


def article(call: Call) -> Reply:
    (text,) = call.ids
    number = int(text) - 20 if text.isascii() and text.isdigit() else -1
    if not 0 <= number < call.workspace.spec.articles:
        raise missing("Resource")
    return Reply(200, catalogue.article(call.workspace.spec, number))


def tags(call: Call) -> Reply:
    return Reply(200, {"type": "list", "data": [catalogue.tag(number) for number in range(len(TAGS))]})


def segments(call: Call) -> Reply:
    found = catalogue.segments(call.workspace.spec)
    counted = call.query.get("include_count") == "true"
    return Reply(200, {"type": "segment.list", "segments": [{**each, "count": 0} if counted else each for each in found]})


def data_attributes(call: Call) -> Reply:
    models = [call.query["model"]] if "model" in call.query else sorted(catalogue.MODELS)
    if not catalogue.MODELS.issuperset(models):
        raise Refused(422, "invalid_field", "model is contact or company")
    archived = call.query.get("include_archived") == "true"
    return Reply(
        200, {"type": "list", "data": [each for model in models for each in catalogue.data_attributes(model, archived=archived)]}
    )


def ip_allowlist(_: Call) -> Reply:
    return Reply(200, catalogue.IP_ALLOWLIST)


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/me"): me,
    ("GET", "/admins"): teammates,
    ("GET", "/admins/activity_logs"): activity_logs,
    ("GET", "/admins/activity_log_event_types"): activity_log_event_types,
    ("POST", "/admins/activity_logs/search"): search_activity_logs,
    ("GET", "/admins/{}"): teammate,
    ("GET", "/articles"): articles,
    ("GET", "/articles/{}"): article,
    ("GET", "/conversations"): conversations,
    ("GET", "/conversations/deleted"): deleted_conversations,
    ("POST", "/conversations/search"): search_conversations,
    ("GET", "/conversations/{}"): conversation,
    ("GET", "/data_attributes"): data_attributes,
    ("GET", "/ip_allowlist"): ip_allowlist,
    ("GET", "/segments"): segments,
    ("GET", "/tags"): tags,
    ("GET", "/teams"): teams,
    ("GET", "/teams/{}"): team,
    ("POST", "/tickets/search"): search_tickets,
    ("GET", "/tickets/{}"): ticket,
}
