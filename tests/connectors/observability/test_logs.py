"""Logs show listed fields and nothing else."""

import ast
import io
import json
import logging
from pathlib import Path

import pytest
import structlog

from connectors.observability import logs
from schemas.errors import Unavailable

ROOT = Path(__file__).parents[3]
LOGGERS = ("log", "logger", "_log", "structlog.get_logger", "logging.getLogger")
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


@pytest.fixture
def lines():
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    logs.configure(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_listed_field_is_shown_and_another_withheld(lines):
    structlog.get_logger("streams.x").info("batch committed", partition=3, person="Ines Holm")
    (line,) = lines()
    assert (line["event"], line["partition"], line["person"]) == ("batch committed", 3, "withheld")


def test_a_log_line_is_one_line_to_readers_that_split_at_every_line_end(lines):
    structlog.get_logger("streams.x").info("batch committed", name="a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\nh")
    (line,) = lines()
    assert line["name"] == "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\nh"


def test_an_address_is_cut_from_every_text(lines):
    structlog.get_logger("streams.x").warning("refused", reason="key of ines.holm+x@acme.example is unknown")
    logging.getLogger("aiokafka").warning("odd record of %s", "ines@acme.example")
    assert "acme.example" not in json.dumps(lines())


def fail(error):
    raise error


def test_the_text_of_a_strangers_error_is_not_shown_but_ours_is(lines):
    log = structlog.get_logger("streams.x")
    try:
        fail(ValueError("cannot read Ines Holm"))
    except ValueError:
        log.exception("failed")
    try:
        fail(Unavailable("Kafka does not answer."))
    except Unavailable:
        log.exception("failed")
    foreign, own = lines()
    assert "Ines" not in json.dumps(foreign)
    assert "ValueError at test_logs.py" in foreign["exception"]
    assert "Unavailable: Kafka does not answer. at test_logs.py" in own["exception"]


def test_libraries_speak_from_warnings_on(lines):
    logging.getLogger("aiokafka").info("chatter")
    logging.getLogger("faust").warning("matter")
    logging.getLogger("streams.engine.faust_adapter.app").info("a library, under our name")
    assert [line["event"] for line in lines()] == ["matter"]


def test_a_library_that_repeats_itself_is_shown_once_a_minute(lines):
    for _ in range(5):
        logging.getLogger("aiokafka").error("cannot connect to %s", "127.0.0.1:9")
    logging.getLogger("aiokafka").error("cannot connect to %s", "127.0.0.1:10")
    assert len(lines()) == 2


def calls():
    for path in sorted(file for package in ("streams", "connectors", "schemas") for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = node.func.value
                if isinstance(owner, ast.Name | ast.Call) and ast.unparse(owner).split("(")[0] in LOGGERS:
                    yield path.relative_to(ROOT), node


def test_every_log_call_is_a_constant_sentence_with_listed_fields():
    log_calls = list(calls())
    assert log_calls, "the walk finds the calls"
    for path, node in log_calls:
        place = f"{path}:{node.lineno}"
        assert isinstance(node.args[0], ast.Constant), (
            f"{place}: the sentence has to be constant; what changes belongs into fields"
        )
        unknown = {field.arg for field in node.keywords} - logs.FIELDS - {"exc_info"}
        assert not unknown, f"{place}: not in connectors.observability.logs.FIELDS: {unknown}"
