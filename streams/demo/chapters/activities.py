"""Webhooks about a conversation become activities of the person who takes part in it."""

from functools import partial
from typing import Any, Final

from connectors.simulator import support
from streams.demo.context import SOON_S, StoryContext
from streams.demo.environment import APP_ID
from streams.demo.watch import NotSeen

_CUSTOMER: Final = "Mara Lind"
_SHOWN: Final = {
    "conversation.user.created": "conversation.started",
    "conversation.admin.replied": "conversation.teammate_replied",
    "conversation.user.replied": "conversation.contact_replied",
    "conversation.admin.closed": "conversation.closed",
}
"""The type of the activity that each post of the conversation shows."""


async def conversation(context: StoryContext) -> None:
    """Post a conversation that is opened, answered and closed: the person of its contact must have an activity of each."""
    context.output.start_chapter("The customer writes in, is answered, and the conversation is closed")
    contact = f"{APP_ID}:{context.environment.scene.id('contact', _CUSTOMER)}"
    for step in support.conversation(context.environment.scene, _CUSTOMER, 1):
        type_ = _SHOWN.get(step.topic)
        if type_ is None:
            continue
        since = await context.post(step)
        record = await context.watch.until("activities", partial(_is_of, contact, type_), f"An activity {type_}", within_s=SOON_S)
        if record.value["person"] != _person_of(context, contact):
            raise NotSeen(f"The activity {type_} is not one of the person whose the contact is.")
        words = f": {record.value['text']}" if record.value["text"] else ""
        context.record_observation(f"activity of {_CUSTOMER}: {type_}{words}", record, since)


def _is_of(contact: str, type_: str, activity: dict[str, Any]) -> bool:
    return bool(activity["type"] == type_ and contact in activity["contacts"])


def _person_of(context: StoryContext, contact: str) -> str:
    """Return the person that a contact belongs to by what people has by now."""
    having: list[dict[str, Any]] = [
        each.value
        for each in context.watch.records["people"]
        if each.value and any(record["key"] == contact for record in each.value["records"])
    ]
    return str(having[-1]["id"])
