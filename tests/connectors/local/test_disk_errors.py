"""What a person reads when the disk refuses."""

import errno
import os
from pathlib import Path

import pytest

from connectors.local.disk_errors import explain_disk_errors
from schemas.errors import Unavailable


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EACCES, "INTERCOM_STREAMS_STATE"),
        (errno.EROFS, "Read-only file system"),
    ],
)
def test_trouble_names_the_place_and_what_to_do(number: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=words) as caught, explain_disk_errors(tmp_path):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in str(caught.value)


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="a device is broken"), explain_disk_errors(tmp_path):
        raise OSError(errno.EIO, "a device is broken")
