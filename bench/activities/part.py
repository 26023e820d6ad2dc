"""What a part of the benchmark of activities reports."""

from collections.abc import Mapping

import msgspec

from bench.report import Ratio, Table


class PartReport(msgspec.Struct, frozen=True, kw_only=True):
    """Tables, ratios and checks of one part."""

    tables: tuple[Table, ...]
    ratios: Mapping[str, Ratio]
    checks: Mapping[str, bool]
