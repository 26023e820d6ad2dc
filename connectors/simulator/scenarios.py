"""The table of scenarios: each yields the history of one company, the same for the same seed."""

import random
from collections.abc import Iterator
from types import MappingProxyType

from connectors.simulator import events
from connectors.simulator.delivery import deliver
from connectors.simulator.history import Scenario, Scene, SimulatedStaff, StaffFileStep, Step
from connectors.simulator.support import support

_DAY = 86_400
_FIRST = (
    "Amara",
    "Bela",
    "Chidi",
    "Dalia",
    "Emre",
    "Farah",
    "Goran",
    "Hana",
    "Ivo",
    "Jun",
    "Kira",
    "Luca",
    "Mina",
    "Nils",
    "Olga",
    "Pia",
)
_LAST = ("Abel", "Brandt", "Costa", "Dufour", "Eriks", "Fontana", "Grau", "Holm", "Ito", "Janda", "Kovac", "Lind")


def customers(scene: Scene) -> Iterator[Step]:
    """Simulate twelve people and three organisations: created, changed, attached, one moves, one is archived, one deleted."""
    chance = random.Random(scene.seed)  # noqa: S311  # a simulation, not a secret
    companies = ("Juniper Labs", "Kestrel Freight", "Lumen Foods")
    yield from (events.company_created(scene, name, at=10.0 * number) for number, name in enumerate(companies))
    people = [f"{chance.choice(_FIRST)} {chance.choice(_LAST)} {number}" for number in range(12)]
    for number, person in enumerate(people):
        at = 100 + 60.0 * number
        yield events.contact_saved(scene, person, at=at)
        yield events.contact_saved(scene, person, at=at + 7, plan=chance.choice(("free", "team", "scale")))
        yield events.contact_attached(scene, person, companies[number % len(companies)], at=at + 15)
        yield events.contact_saved(scene, person, at=at + 40, plan="scale", company=companies[number % len(companies)])
    yield events.contact_attached(scene, people[0], companies[1], at=2000)
    yield events.contact_archived(scene, people[1], at=2010)
    yield events.contact_deleted(scene, people[2], at=2020)


def teammates(scene: Scene) -> Iterator[Step]:
    """Simulate how teammates join and leave while the staff file follows: unknown, identified, ended but still there, removed."""
    ines, jon, kay = (
        events.employee("Ines Holm", "agent"),
        events.employee("Jon Grau", "agent"),
        events.employee("Kay Lind", "lead"),
    )
    yield StaffFileStep((ines, jon), "the staff file names Ines and Jon", scene.at(0))
    yield from (
        events.teammate(scene, row.name, "added_to_workspace", at=60.0 * number) for number, row in enumerate((ines, jon), 1)
    )
    yield events.teammate(scene, kay.name, "added_to_workspace", at=_DAY)
    yield StaffFileStep((ines, jon, kay), "the staff file names Kay, who already has access", scene.at(_DAY + 3600))
    jon_ended = SimulatedStaff(jon.id, jon.name, jon.email, jon.roles, end="2026-01-06")
    yield StaffFileStep((ines, jon_ended, kay), "Jon's employment has ended", scene.at(2 * _DAY))
    yield events.teammate(scene, jon.name, "removed_from_workspace", at=2 * _DAY + 7200)


def company(scene: Scene) -> Iterator[Step]:
    """Simulate customers and teammates of one company together."""
    yield from sorted((*customers(scene), *teammates(scene)), key=lambda step: step.at_ms)


def disorder(scene: Scene) -> Iterator[Step]:
    """Simulate the same company as its posts might really arrive: out of order, and every fifth twice."""
    yield from deliver(company(scene), seed=scene.seed)


SCENARIOS: MappingProxyType[str, Scenario] = MappingProxyType({
    "customers": customers,
    "teammates": teammates,
    "company": company,
    "support": support,
    "disorder": disorder,
})  # fmt: skip


def about(name: str) -> str:
    """Return a scenario's description, for the command line: its docstring without the verb."""
    return (SCENARIOS[name].__doc__ or "").removeprefix("Simulate ").strip()
