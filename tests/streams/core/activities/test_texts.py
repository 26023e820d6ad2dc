import time

import pytest

from streams.core.activities.texts import LONGEST, plain_text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>Hello <b>Ada</b></p>", "Hello Ada"),
        ("Hello Ada", "Hello Ada"),
        ("<p>One</p>\n<p>Two<br/>Three</p>", "One\nTwo\nThree"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("<p>Tom &amp; Jerry &lt;3</p>", "Tom & Jerry <3"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<style>p{}</style><p>seen</p><script>alert(1)</script>", "seen"),
        ("<SCRIPT a=b>1<style>2</script >seen</style>", "seen"),
        ("<script>is never closed", "is never closed"),
        ("a\u0000b\u200b c", "ab c"),
        ("<p>\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645</p>", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("  many   blanks \n\n\n lines ", "many blanks\nlines"),
        ("<p></p>", ""),
        ("", ""),
        (None, ""),
        (5, ""),
        ({"a": 1}, ""),
    ],
)
def test_words_are_plain_whatever_form_they_came_in(body, text):
    assert plain_text(body) == (text, False)


def test_long_words_are_cut_and_say_so():
    assert plain_text("x" * LONGEST) == ("x" * LONGEST, False)
    assert plain_text("x" * (LONGEST + 1)) == ("x" * LONGEST, True)
    assert plain_text("<" * 1_000_000)[1] is True


@pytest.mark.parametrize("piece", ["<script>", "<style><script>", "<br ", "<script></style>"])
def test_words_that_somebody_wrote_to_be_slow_are_read_as_fast_as_others(piece):
    begin = time.process_time()
    plain_text(piece * (LONGEST * 20 // len(piece)))
    assert time.process_time() - begin < 0.15
