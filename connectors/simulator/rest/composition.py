"""The parts of a simulation, made from its configuration."""

from typing import NamedTuple

from connectors.simulator.clock import SimulatedClock
from connectors.simulator.rest.api import SimulatedApi
from connectors.simulator.rest.config import SimulatorConfig
from connectors.simulator.rest.faults import FaultSwitches
from connectors.simulator.workspace.workspace import SimulatedWorkspace


class Simulation(NamedTuple):
    """A workspace with its API."""

    workspace: SimulatedWorkspace
    api: SimulatedApi
    clock: SimulatedClock
    switches: FaultSwitches


def simulation(config: SimulatorConfig) -> Simulation:
    """Make the parts. Nothing is started."""
    clock = SimulatedClock(config.spec.past_ends_ms if config.frozen else None)
    switches = FaultSwitches(config.faults)
    workspace = SimulatedWorkspace(config.spec)
    return Simulation(
        workspace, SimulatedApi(workspace, clock, token=config.token, switches=switches, limit=config.limit), clock, switches
    )  # fmt: skip
