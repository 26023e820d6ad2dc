"""The heading of a record: what others chose as a key or a type is one line that commands no terminal."""

from streams.cli.record_format import RecordView, format_text


def test_the_heading_of_a_record_is_one_line_that_commands_nothing() -> None:
    headers = {"ce_type": "x\ry"}
    view = RecordView(topic="t", partition=0, offset=1, timestamp="now", key="a\x1b[2J\nb", headers=headers, value=None)
    assert format_text(view, b"{}", True).startswith(b"now  0:1  a\\x1b[2J\\nb  x\\ry\n")
