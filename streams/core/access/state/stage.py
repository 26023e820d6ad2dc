"""The stages in which a fact is processed. Their values stand in rows of facts under way, so a value never changes."""

from enum import StrEnum


class Stage(StrEnum):
    """See `streams.core.access.processing.stages` for what each does and which follows."""

    TIMERS = "timers"
    APPLY = "apply"
    MOVE_ALIASES = "move_aliases"
    WORKSPACES = "workspaces"
    ACCOUNTS = "accounts"
    COUNT_ROWS = "count_rows"
    APPLY_ROWS = "apply_rows"
    WITHDRAW_ABSENT = "withdraw_absent"
    DISCARD_ROWS = "discard_rows"
    EVALUATE = "evaluate"
    END = "end"
