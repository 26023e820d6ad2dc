"""The teammate of the story, as Intercom and the staff directory describe her."""

from connectors.simulator import payloads
from connectors.simulator.history import Scene, SimulatedPost, SimulatedStaff

_NAME = "Rosa Klein"
_ADDRESS = "rosa.klein@acme.example"


def account(scene: Scene) -> str:
    """Return the id of her account."""
    return str(scene.admin_id(_NAME))


def post(scene: Scene, verb: str, *, at_ms: int) -> SimulatedPost:
    """Return the webhook that says she was `added_to_workspace` or `removed_from_workspace`."""
    item = payloads.admin(id=scene.admin_id(_NAME), name=_NAME, email=_ADDRESS)
    return scene.post(f"admin.{verb}", item, at_ms=at_ms, about=f"{_NAME}, {_ADDRESS}")


def staff_row(end: str = "") -> SimulatedStaff:
    """Return her line of the staff file."""
    return SimulatedStaff(id="17", name=_NAME, email=_ADDRESS, roles="support agent", end=end)
