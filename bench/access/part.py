"""A part of the benchmark's report."""

from collections.abc import Mapping

import msgspec

from bench.report import Ratio, Table


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Tables and ratios of a part; none where it was not chosen."""

    tables: tuple[Table, ...] = ()
    ratios: Mapping[str, Ratio] = {}
