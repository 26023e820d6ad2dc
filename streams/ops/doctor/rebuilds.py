"""Rebuilds: does one keep agents still, and is anybody about to let them work again."""

from streams.ops.doctor.finding import Findings, Patient, ok, problem, warning
from streams.ops.generations.live import live_generations


async def rebuilds(patient: Patient) -> Findings:
    """Examine whether agents stand still for a rebuild: their workers are in the group, and have no lag while nobody posts."""
    state = await live_generations(patient.settings.kafka)
    hold = state.hold
    if hold is None:
        return [ok("no agent stands still for a rebuild")]
    agents = ", ".join(hold.agents)
    if hold.until is None:
        text = f"rebuild {hold.rebuild} has begun to swap: {agents} stand still until it is complete"
        return [problem(text, f"if nobody runs it: `intercom-streams rebuild {hold.agents[0]} --swap` completes it")]
    return [
        warning(f"rebuild {hold.rebuild} compares: {agents} stand still", "they continue by themselves within 30 s of its end")
    ]
