"""Log lines: one JSON object a line, or coloured on a terminal; and the guard that keeps people's data out.

Belongs here: the form of a line, for our own loggers (`sendwatch.…`) and for those of Faust, aiokafka and
the rest. Not here: what is worth a line. Whoever logs uses the standard library:

    log = logging.getLogger("sendwatch.worker")
    log.info("partition taken over", extra={"partition": 3, "epoch": 7})

    {"ts":"2026-11-11T00:00:01.250Z","level":"info","event":"partition taken over","component":"worker",
     "partition":3,"epoch":7}

The message is the event, the same words every time; what varies is in `extra`. No phone number and no
message text may be handed to a log, and should one be, it is masked: numbers everywhere, Chinese and escaped
text in the messages of other libraries and of exceptions. Others never log below info: aiokafka's producer
then prints keys and values. And what they say again within ten seconds is only counted (`again`): while Kafka is
away, aiokafka's clients say 100 times a second each that it is.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from sendwatch.settings import Logs

Fields = dict[str, Any]

OURS = "sendwatch"
STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
LONGEST_CHAIN = 5
SELDOM_SECONDS, MOST_REMEMBERED = 10.0, 1000
COLOURS = {"debug": "\033[2m", "warning": "\033[33m", "error": "\033[31m", "critical": "\033[1;31m"}
PLAIN = "\033[0m"

phone_number = re.compile(
    r"(?<!\d)(?:(?:\+|[0０]{2})?[8８][6６][- ]?)?[1１][3-9３-９]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"  # mainland
    r"|(?<![\d.])[0０]{2}[1-9１-９]\d{7,13}(?!\d)"  # any other country's
)
message_text = re.compile(
    r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+|(?:\\x[0-9a-fA-F]{2}){2,}|(?:\\u[0-9a-fA-F]{4})+"
)


class Guard:
    """Masks what must not be in a log line."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        """`secrets` are masked wherever they stand."""
        found = "|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True) if secret)
        self._secrets = re.compile(found) if found else None

    def clean(self, text: str) -> str:
        """A text without phone numbers and secrets."""
        if self._secrets is not None:
            text = self._secrets.sub("[secret]", text)
        return phone_number.sub("[number]", text)

    def strip(self, text: str) -> str:
        """A text from elsewhere, without anything that could be a message."""
        return message_text.sub("[text]", self.clean(text))


def told(value: object, masked: Callable[[str], str]) -> Any:
    """A value of `extra` ready for JSON, its texts masked."""
    match value:
        case None | bool() | int() | float():
            return value
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes]"
        case dict():
            return {masked(str(key)): told(one, masked) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [told(one, masked) for one in value]
        case _:
            return masked(str(value))


class Seldom(logging.Filter):
    """Lets through what others say once in a while; the next time, with how often they had said it `again`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be told."""
        if is_ours(record):
            return True
        key, now = (record.name, said_by(record)), self._clock()
        said_at, again = self._said.get(key, (now - SELDOM_SECONDS, 0))
        if now - said_at < SELDOM_SECONDS:
            self._said[key] = said_at, again + 1
            return False
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[key] = now, 0
        if again:
            record.again = again
        return True


class Formatter(logging.Formatter):
    """Makes a line of a record: its fields, cleaned, in the form wanted."""

    def __init__(self, form: Callable[[Fields], str], guard: Guard) -> None:
        super().__init__()
        self._form = form
        self._guard = guard

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return self._form(self.fields(record))

    def fields(self, record: logging.LogRecord) -> Fields:
        """What is told of a record, in order."""
        masked = self._guard.clean if is_ours(record) else self._guard.strip
        fields: Fields = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "event": masked(said_by(record)),
            "component": record.name.removeprefix(f"{OURS}."),
        }
        given = {key: value for key, value in record.__dict__.items() if key not in STANDARD}
        fields |= {key: told(value, masked) for key, value in given.items() if key not in fields}
        if record.exc_info and record.exc_info[1]:
            fields["error"] = " < ".join(self._guard.strip(one) for one in chain_of(record.exc_info[1]))
            fields["trace"] = frames_of(record.exc_info[1])
        return fields


def is_ours(record: logging.LogRecord) -> bool:
    """Whether it comes from sendwatch itself."""
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def said_by(record: logging.LogRecord) -> str:
    """The message of a record, also where its arguments don't fit."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def chain_of(error: BaseException | None) -> Iterator[str]:
    """An exception and those that it came from, the last first."""
    for _ in range(LONGEST_CHAIN):
        if error is None:
            return
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def frames_of(error: BaseException) -> list[str]:
    """Where an exception was raised, outermost first: `worker/worker.py:212 run`. No source, no values."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def as_json(fields: Fields) -> str:
    """One JSON object."""
    return msgspec.json.encode(fields, enc_hook=str).decode()


def as_pretty(fields: Fields) -> str:
    """One coloured line, and the trace of an exception below it."""
    rest = {key: value for key, value in fields.items() if key not in {"ts", "level", "event", "component", "trace"}}
    more = "".join(f"  {key}={value}" for key, value in rest.items())
    trace = "".join(f"\n    {frame}" for frame in fields.get("trace", ()))
    level = fields["level"]
    head = f"{fields['ts'][11:23]} {level:<8}{fields['component']:<12} {fields['event']}"
    return f"{COLOURS.get(level, '')}{head}{PLAIN}{more}{trace}"


def handler(logs: Logs, stream: TextIO, secrets: Sequence[str] = ()) -> logging.Handler:
    """What writes lines to a stream in the form that the settings ask for."""
    pretty = logs.format == "pretty" or (logs.format == "auto" and stream.isatty())
    made = logging.StreamHandler(stream)
    made.setFormatter(Formatter(as_pretty if pretty else as_json, Guard(secrets)))
    made.addFilter(Seldom())
    return made


def set_up(logs: Logs, stream: TextIO | None = None, secrets: Sequence[str] = ()) -> None:
    """Send everything that the process logs, and what ends it, to standard output; may be called again.

    Faust's worker must be made with `override_logging=False`, or it puts its own handlers in place of this
    one.
    """
    level = logging.getLevelNamesMapping()[logs.level.upper()]
    logging.raiseExceptions = False  # a line that cannot be written would be printed raw, unguarded
    logging.captureWarnings(capture=True)
    logging.root.handlers[:] = [handler(logs, stream or sys.stdout, secrets)]
    logging.root.setLevel(max(level, logging.INFO))
    logging.getLogger(OURS).setLevel(level)
    for chatty in ("faust", "mode"):  # 40 lines of info at every start
        logging.getLogger(chatty).setLevel(logging.INFO if logs.level == "debug" else logging.WARNING)
    sys.excepthook = _crashed


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(OURS).critical("crashed", exc_info=(kind, error, trace))
