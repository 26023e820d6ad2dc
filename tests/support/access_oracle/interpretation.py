"""How the oracle interprets the sentences of the design that can be read in two ways."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interpretation:
    """One choice for each contested sentence. Under the defaults all laws hold at once (README.md)."""

    past_addresses: bool = True  # a leaver is named by every address ever seen, of the account and of the record [N5]
    former_identifies: bool = (
        True  # where present addresses find nobody, those that either side ever had do: a rename keeps the owner [N5]
    )
    contested_records: bool = True  # an ended record that two people could own makes both of them uncertain [N7]
    active_again: bool = True  # a later "active" of the same record cancels an earlier end that had come by then [N8]
    unmonitoring: bool = True  # `workspace.unmonitored`, and settings that no longer list the workspace, have an effect
    ambiguous_with_ended: bool = True  # an address of an active and an ended person is ambiguous, as in fault M [N1]
    absence_name: str = "absence"  # the name in settings.further that says, by source, what absence means [N15]
    freshness_name: str = "freshness"  # the name in settings.further that says, by source, how it reports [N41]


DEFAULT = Interpretation()
