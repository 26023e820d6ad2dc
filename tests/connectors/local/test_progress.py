"""What a person sees of a download."""

import io

from connectors.local.progress import MIB, ProgressLines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_a_download_is_a_few_lines() -> None:
    stream = io.StringIO()
    arrived = ProgressLines(stream).meter("Fetching kafka", 8 * MIB)
    for _ in range(1024):
        arrived(8 * 1024)
    assert stream.getvalue().splitlines() == [
        "Fetching kafka: 0 of 8 MB",
        "Fetching kafka: 2 of 8 MB",
        "Fetching kafka: 4 of 8 MB",
        "Fetching kafka: 6 of 8 MB",
        "Fetching kafka: 8 of 8 MB",
    ]


def test_on_a_terminal_one_line_is_redrawn_and_ended() -> None:
    stream = Terminal()
    arrived = ProgressLines(stream).meter("Fetching kafka", MIB)
    arrived(MIB)
    assert stream.getvalue() == "\rFetching kafka: 0 of 1 MB\rFetching kafka: 1 of 1 MB\n"


def test_more_bytes_than_announced_do_not_overflow() -> None:
    stream = io.StringIO()
    ProgressLines(stream).meter("x", MIB)(3 * MIB)
    assert stream.getvalue().splitlines()[-1] == "x: 1 of 1 MB"
