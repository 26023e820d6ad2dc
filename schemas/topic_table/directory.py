"""The topics of teams and agents."""

from functools import partial
from typing import Final

from schemas.topic_table.row import Encoding, Topic

_public: Final = partial(Topic, encoding=Encoding.AVRO)

DIRECTORY: Final = (
    _public(
        name="directory.decisions", schema="directory_decision", key="app_id",
        written_by=("operators",), read_by=("directory",),
        about="which teams and agents are imported, in which role, as operators decide",
    ),
    _public(
        name="teams", schema="team", key="app_id|team", compact=True,
        written_by=("directory",), read_by=("downstream", "projector"),
        about="each team of a workspace, and whether it is imported",
    ),
    _public(
        name="team.members", schema="team_member", key="app_id|team|agent", compact=True,
        written_by=("directory",), read_by=("downstream", "projector"),
        about="which agents belong to which team, and to the imported team",
    ),
    _public(
        name="agents", schema="agent", key="app_id|agent", compact=True,
        written_by=("directory",), read_by=("downstream", "projector"),
        about="each teammate of a workspace, whether they are imported, and their role",
    ),
    _public(
        name="agent.imports", schema="agent_import", key="app_id",
        written_by=("directory",), read_by=("downstream",),
        about="requests to import agents, sent again, withdrawn and ended, and decisions that had no effect",
    ),
)  # fmt: skip
