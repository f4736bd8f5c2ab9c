"""Log lines, and what never gets into them."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendwatch import logs
from sendwatch.settings import Logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logger(stream: io.StringIO, name: str = "sendwatch.worker", secrets: Sequence[str] = ()) -> logging.Logger:
    """A logger of its own, so that tests leave the process's alone."""
    made = logging.Logger(name, logging.DEBUG)  # noqa: LOG001  not the process's
    made.addHandler(logs.handler(Logs(), stream, secrets))
    return made


def fail(error: Exception) -> None:
    raise error


def line(stream: io.StringIO) -> dict[str, Any]:
    """The one line that was written."""
    (written,) = stream.getvalue().splitlines()
    fields: dict[str, Any] = json.loads(written)
    return fields


@pytest.fixture
def process() -> Iterator[io.StringIO]:
    """The whole process's log, put back afterwards."""
    handlers, level, ours = logging.root.handlers[:], logging.root.level, logging.getLogger("sendwatch").level
    hook, raising = sys.excepthook, logging.raiseExceptions
    yield io.StringIO()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.getLogger("sendwatch").setLevel(ours)
    for chatty in ("faust", "mode"):
        logging.getLogger(chatty).setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    sys.excepthook, logging.raiseExceptions = hook, raising


# -- the form of a line -------------------------------------------------------------------------------


def test_a_line_is_one_json_object_with_the_event_and_its_fields() -> None:
    """The time in UTC, the component without our name, what varies in fields of its own."""
    out = io.StringIO()
    logger(out).info("partition taken over", extra={"topic": "sms.sends", "partition": 3, "offset": 12_345_678_901})
    fields = line(out)
    assert list(fields) == ["ts", "level", "event", "component", "topic", "partition", "offset"]
    assert fields["ts"].endswith("Z")
    assert fields["ts"][10] == "T"
    assert (fields["level"], fields["component"]) == ("info", "worker")
    assert (fields["event"], fields["offset"]) == ("partition taken over", 12_345_678_901)


def test_an_exception_tells_what_where_and_what_it_came_from() -> None:
    """Places in the code, no source lines and no values."""
    out = io.StringIO()
    try:
        try:
            fail(KeyError("inner"))
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError:
        logger(out).exception("batch failed")
    fields = line(out)
    assert fields["error"] == "ValueError: outer < KeyError: 'inner'"
    assert fields["trace"][-1].startswith("tests/test_logs.py:")
    assert fields["level"] == "error"


def test_a_terminal_gets_coloured_lines_and_everything_else_json() -> None:
    """Unless the settings say otherwise."""
    terminal = Terminal()
    logger(terminal).warning("fenced", extra={"partition": 3})
    assert terminal.getvalue().startswith("\033[33m")
    assert "warning worker       fenced\033[0m  partition=3\n" in terminal.getvalue()
    forced = logs.handler(Logs(format="json"), terminal)
    record = logging.makeLogRecord({"name": "sendwatch", "msg": "x"})
    assert json.loads(forced.format(record))["component"] == "sendwatch"
    assert "\033" in logs.handler(Logs(format="pretty"), io.StringIO()).format(
        logging.makeLogRecord({"name": "a", "msg": "x", "levelname": "ERROR"})
    )


def test_a_trace_stands_below_its_line_on_a_terminal() -> None:
    """One frame a line."""
    terminal = Terminal()
    try:
        fail(ValueError("odd"))
    except ValueError:
        logger(terminal).exception("batch failed")
    first, second, last = terminal.getvalue().splitlines()
    assert first.endswith("error=ValueError: odd")
    assert second.strip().startswith("tests/test_logs.py:")
    assert last.strip().endswith(" fail")


def test_values_that_json_does_not_know_are_told_all_the_same() -> None:
    """Sets as lists, bytes by their size, other things by their text; a message whose arguments don't fit."""
    out = io.StringIO()
    logger(out).info("x %d", "y", extra={"a": {1}, "b": b"secret", "c": {"d": (1, None)}, "e": ValueError("f")})
    fields = line(out)
    assert (fields["a"], fields["b"], fields["c"], fields["e"]) == ([1], "[6 bytes]", {"d": [1, None]}, "f")
    assert fields["event"] == "x %d"


# -- what never gets in -------------------------------------------------------------------------------

PLANTED = [
    "13900000001",
    "8613900000001",
    "+86 139 0000 0001",
    "139-0000-0001",
    "0085212345678",
    "１３９０００００００１",
]


@pytest.mark.parametrize("number", PLANTED)
@pytest.mark.parametrize("name", ["sendwatch.worker", "aiokafka.producer.producer", "faust.app.base", "asyncio"])
def test_a_planted_number_is_nowhere_in_a_line(number: str, name: str) -> None:
    """In messages, arguments, fields, exceptions and those they came from, of whatever library."""
    out = io.StringIO()
    log = logger(out, name)
    log.info("Sending (key=%s value=%s) to %s", number.encode(), {"recipient": number}, "sms.sends")
    log.info(
        "a key: %r",
        (number,),
        extra={"recipient": number, "many": [number, {number: number}], "error": KeyError(number)},
    )
    try:
        try:
            fail(KeyError(number))
        except KeyError as error:
            raise ValueError(f"bad record of _{number}_") from error
    except ValueError:
        log.exception("failed for %s", number)
    written = out.getvalue()
    assert number not in written
    assert json.dumps(number)[1:-1] not in written
    assert written.count("[number]") + written.count("[text]") >= 9
    assert len(written.splitlines()) == 3


@pytest.mark.parametrize(
    "told",
    [
        "offset 1795332828934",
        "at 2026-11-11T00:00:00",
        "123456789012",
        "id 1390000000",
        "port 106900000001",
        "0.0012345678",
    ],
)
def test_other_numbers_stay(told: str) -> None:
    """Times in ms, offsets, port numbers are what one looks for in a log."""
    assert logs.Guard().clean(told) == told


def test_messages_of_others_lose_chinese_and_escaped_text() -> None:
    """A library that prints a record prints an SMS; its own words stay."""
    out = io.StringIO()
    text = "【某店】双11大促，退订回T"
    log = logger(out, "aiokafka.consumer.fetcher")
    log.warning("bad record %r, %s, %s", text.encode(), text, json.dumps({"text": text}))
    try:
        fail(ValueError(text))
    except ValueError:
        logger(out).exception("judging failed")
    theirs, ours = map(json.loads, out.getvalue().splitlines())
    assert theirs["event"].startswith("bad record b'[text]11[text]")
    assert ours["error"] == "ValueError: [text]11[text]T"
    assert "某店" not in out.getvalue()
    assert "u67d0" not in out.getvalue()


def test_secrets_are_masked_wherever_they_stand() -> None:
    """Handed in once, at the start; the longer first where one holds the other."""
    out = io.StringIO()
    logger(out, "aiokafka.conn", ["hunter", "hunter2", ""]).error("login as %s failed", "hunter2")
    assert line(out)["event"] == "login as [secret] failed"


@given(st.text(max_size=20), st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.text(max_size=20))
def test_no_mainland_number_survives_whatever_surrounds_it(before: str, number: str, after: str) -> None:
    """Unless digits run on: then it is some other, longer number."""
    told = f"{before}{number}{after}"
    cleaned = logs.Guard().clean(told)
    runs_on = (before and before[-1].isdigit()) or (after and after[0].isdigit())
    assert runs_on or number not in cleaned


# -- the process --------------------------------------------------------------------------------------


def test_everything_in_the_process_goes_the_same_way(process: io.StringIO) -> None:
    """Ours, others', warnings, and what ends the process; others never below info."""
    logs.set_up(Logs(level="debug"), process, secrets=["hunter2"])
    logging.getLogger("sendwatch.worker").debug("round")
    logging.getLogger("aiokafka.producer.producer").debug("Sending (key=%s value=%s)", "13900000001", "x")
    logging.getLogger("mode.worker").info("ready")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("hunter2 is weak", UserWarning, stacklevel=1)
    error = ValueError("13900000001")
    sys.excepthook(ValueError, error, None)
    told = [json.loads(one) for one in process.getvalue().splitlines()]
    assert [one["component"] for one in told] == ["worker", "mode.worker", "py.warnings", "sendwatch"]
    assert "[secret] is weak" in told[2]["event"]
    assert (told[3]["event"], told[3]["error"]) == ("crashed", "ValueError: [number]")


def test_the_level_is_that_of_the_settings(process: io.StringIO) -> None:
    """Set up again, it changes and no line is doubled; Faust's chatter is for debugging."""
    logs.set_up(Logs(level="warning"), process)
    logging.getLogger("sendwatch.worker").info("quiet")
    logs.set_up(Logs(level="info"), process)
    logging.getLogger("faust.worker").info("Starting...")
    logging.getLogger("sendwatch.worker").info("told")
    assert line(process)["event"] == "told"


def test_a_line_that_cannot_be_written_is_not_printed_raw(
    process: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """The standard library would print the message and its arguments, unguarded."""
    logs.set_up(Logs(), process)
    process.close()
    logging.getLogger("sendwatch.worker").info("x", extra={"recipient": "13900000001"})
    assert "13900000001" not in "".join(capsys.readouterr())


# -- what others repeat -------------------------------------------------------------------------------------------


def test_what_others_repeat_is_counted() -> None:
    """Once in ten seconds a line, with how often it was said meanwhile; our own, and other lines, always."""
    now, stream = 0.0, io.StringIO()
    theirs, ours = logger(stream, "aiokafka"), logger(stream)
    for each in (theirs, ours):
        each.handlers[0].filters[:] = [logs.Seldom(lambda: now)]
    for _ in range(3):
        theirs.error("Unable connect to node with id %s", 1)
    theirs.error("Unable connect to node with id %s", 2)
    now = logs.SELDOM_SECONDS
    theirs.error("Unable connect to node with id %s", 1)
    for _ in range(2):
        ours.error("Kafka does not take what is to be written")
    told = [json.loads(each) for each in stream.getvalue().splitlines()]
    assert [(each["event"][-9:], each.get("again")) for each in told] == [
        ("with id 1", None), ("with id 2", None), ("with id 1", 2), ("e written", None), ("e written", None),
    ]  # fmt: skip


def test_what_is_remembered_of_others_is_bounded() -> None:
    """Lines that never come again are forgotten."""
    stream = io.StringIO()
    theirs = logger(stream, "aiokafka")
    for number in range(3 * logs.MOST_REMEMBERED):
        theirs.error("node %s", number)
    (seldom,) = theirs.handlers[0].filters
    assert isinstance(seldom, logs.Seldom)
    assert len(seldom._said) <= logs.MOST_REMEMBERED
    assert len(stream.getvalue().splitlines()) == 3 * logs.MOST_REMEMBERED
