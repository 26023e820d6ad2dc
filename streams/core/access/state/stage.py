"""The stages in which a fact is processed. Their values stand in rows of facts under way, so a value never changes."""

from enum import StrEnum


class Stage(StrEnum):
    """See `streams.core.access.processing.stages` for what each does and which follows."""

    TIMERS = "timers"
    DISCARD_STALE = "discard_stale"
    APPLY = "apply"
    WORKSPACES = "workspaces"
    ACCOUNTS = "accounts"
    COUNT_ROWS = "count_rows"
    COUNT_WITHDRAWN = "count_withdrawn"
    APPLY_ROWS = "apply_rows"
    WITHDRAW_ABSENT = "withdraw_absent"
    COUNT_ABSENT = "count_absent"
    APPLY_TEAMMATES = "apply_teammates"
    INFER_REMOVALS = "infer_removals"
    EVALUATE = "evaluate"
    END = "end"

    __hash__ = str.__hash__  # the one of enumerations is written in Python, and every fact looks up its stages
