"""The log: one event a state change, named `noun.verb`, as JSON lines in a file and as readable
lines on a terminal, never with a secret in it.

`configure` is called once by the CLI. Everything else is a value: a file is attached for one
connection and takes only that connection's events, so two connections in one process keep theirs
apart. Names of events stand in EVENTS; a test compares them with what the source emits.

structlog is loaded by the first event, not by this module: it brings rich and asyncio along, and a
command that only shows how things stand (`status`) has no event to write.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache, cached_property, partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO, cast

from syncjob.events import EVENTS as EVENTS
from syncjob.redact import MASK as MASK
from syncjob.redact import Redactor as Redactor

if TYPE_CHECKING:
    import structlog
    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

ROOT = "syncjob"
FILE_MODE = 0o600

#: The events that a run without a terminal still shows, besides warnings.
_SUMMARY = "batch.ended"


def configure(
    redactor: Redactor | None = None,
    *,
    terminal: TextIO | None = None,
    level: int = logging.WARNING,
    summary: bool = False,
) -> Redactor:
    """Set structlog up for this process and send readable lines to `terminal` (stderr).

    `level` is the least that the terminal shows; `summary` adds each batch's last event. May be
    called again (tests do): the terminal handler is replaced, attached files stay.
    """
    redactor = redactor or Redactor()
    _SETUP.redactor, _SETUP.level = redactor, min(level, logging.INFO)
    if "structlog" in sys.modules:
        _SETUP.done()
    stream = terminal if terminal is not None else sys.stderr
    handler = _Terminal(stream, level, summary)
    handler.setFormatter(_Late(lambda: _Readable(stream), redactor))
    for name in (ROOT, "apscheduler"):
        logger = logging.getLogger(name)
        logger.setLevel(min(level, logging.INFO) if name == ROOT else logging.WARNING)
        logger.propagate = False
        for old in [h for h in logger.handlers if isinstance(h, _Terminal)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
    return redactor


@contextlib.contextmanager
def log_file(
    path: Path,
    *,
    connection: str,
    files: int = 14,
    megabytes: int = 10,
    redactor: Redactor | None = None,
) -> Iterator[None]:
    """Write this connection's events to a rotated file of JSON lines, mode 0600, meanwhile.

    Raises OSError if the file cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _PrivateFile(
        path, maxBytes=megabytes * 1_000_000, backupCount=files - 1, encoding="utf-8"
    )
    handler.addFilter(lambda record: _connection_of(record) in (None, connection))
    handler.setFormatter(_Late(_json, redactor or Redactor()))
    loggers = [logging.getLogger(name) for name in (ROOT, "apscheduler")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        with bound(connection=connection):
            yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()


def get_logger(name: str) -> FilteringBoundLogger:
    """The logger of a module: `log = get_logger(__name__)`."""
    return cast("FilteringBoundLogger", _Logger(name))


@contextlib.contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Bind values (batch, connection) to every event of this thread or task, meanwhile."""
    before = _BOUND.set({**_BOUND.get(), **values})
    try:
        yield
    finally:
        _BOUND.reset(before)


_BOUND: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=MappingProxyType({}))


class _Setup:
    """How structlog is to be set up once it is loaded; None: as it comes."""

    redactor: Redactor | None = None
    level: int = logging.INFO

    def done(self) -> None:
        import structlog

        if self.redactor is None:
            return
        structlog.configure(
            processors=[_Maker(self.redactor)],
            # What is below the level is not even made: its methods do nothing.
            wrapper_class=structlog.make_filtering_bound_logger(self.level),
            logger_factory=cache(_Out),
            cache_logger_on_first_use=False,
        )
        self.redactor = None


_SETUP = _Setup()


class _Logger:
    """A module's logger until its first event; then structlog's, with all of its methods."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _real(self) -> FilteringBoundLogger:
        import structlog

        _SETUP.done()
        logger: FilteringBoundLogger = structlog.get_logger(self._name)
        return logger

    def __getattr__(self, method: str) -> Any:
        return getattr(self._real, method)


class _Maker:
    """The one step from what a module says to an event: bound values, level, time, no secret. One
    instead of one for each of these, because a load has many events."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor, self._stamp = redactor, _stamper()

    def __call__(self, logger: WrappedLogger, level: str, event: EventDict) -> Any:
        made = {**_BOUND.get(), **event}
        if "exc_info" in made:
            import structlog

            made = dict(structlog.processors.format_exc_info(logger, level, made))
        made = dict(self._redactor(logger, level, made))
        made["level"] = level
        return (self._stamp(logger, level, made),), {}


class _Event(logging.LogRecord):
    """An event of ours as `logging` carries it, without the search for the line of the source, the
    thread and the process that it came from, which no line of the log shows."""

    def __init__(self, name: str, level: int, event: EventDict) -> None:
        self.__dict__ = {
            **_BLANK, "name": name, "msg": event, "levelno": level,
            "levelname": logging.getLevelName(level),
        }  # fmt: skip


#: What `logging` puts into each record, once.
_BLANK = dict(logging.LogRecord("", 0, "", 0, "", (), None).__dict__)


class _Out:
    """A module's way into `logging` for events that structlog has made."""

    def __init__(self, *names: str) -> None:
        self._logger = logging.getLogger(*names)
        self.debug = partial(self._out, logging.DEBUG)
        self.info = partial(self._out, logging.INFO)
        self.warning = partial(self._out, logging.WARNING)
        self.error = self.exception = partial(self._out, logging.ERROR)
        self.critical = partial(self._out, logging.CRITICAL)

    def _out(self, level: int, event: EventDict) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.handle(_Event(self._logger.name, level, event))


class _Late(logging.Formatter):
    """structlog's formatter, made when the first line is formatted."""

    def __init__(self, renderer: Callable[[], Processor], redactor: Redactor) -> None:
        super().__init__()
        self._renderer, self._redactor = renderer, redactor

    @cached_property
    def _real(self) -> logging.Formatter:
        return _formatter(self._renderer(), self._redactor)

    @cached_property
    def _render(self) -> Processor:
        return self._renderer()

    def format(self, record: logging.LogRecord) -> str:
        """An event of ours is made and redacted by now; a library's line goes the whole way."""
        if isinstance(record, _Event):
            event = dict(cast("EventDict", record.msg))
            return cast(str, self._render(None, record.levelname, event))
        return self._real.format(record)


def _json() -> Processor:
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode  # made once, not a line
    return lambda _, __, event: encode(event)


def _with_bound(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {**_BOUND.get(), **event}


def _stamper() -> Processor:
    import structlog

    return structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")


def _shared() -> list[Processor]:
    import structlog

    return [
        _with_bound,
        structlog.stdlib.add_log_level,
        _stamper(),
        structlog.processors.format_exc_info,
    ]


def _formatter(renderer: Processor, redactor: Redactor) -> structlog.stdlib.ProcessorFormatter:
    import structlog

    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), redactor], processors=[remove, renderer]
    )


def _connection_of(record: logging.LogRecord) -> Any:
    """The connection an event is bound to; None for events of no connection (a library's)."""
    return record.msg.get("connection") if isinstance(record.msg, dict) else None


class _Terminal(logging.StreamHandler[TextIO]):
    """Shows what is at least `level`, and the summary of a batch if asked to."""

    def __init__(self, stream: TextIO, level: int, summary: bool) -> None:
        super().__init__(stream)
        self._least, self._summary = level, summary

    def filter(self, record: logging.LogRecord) -> bool:
        event = record.msg.get("event") if isinstance(record.msg, dict) else ""
        return record.levelno >= self._least or (self._summary and event == _SUMMARY)


class _Readable:
    """One line a person can read: time, level if it matters, event, values; a traceback stands
    in the file alone."""

    def __init__(self, stream: TextIO) -> None:
        plain = "NO_COLOR" in os.environ or not stream.isatty()
        self._bold, self._end = ("", "") if plain else ("\x1b[1m", "\x1b[0m")

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> str:
        at, level = str(event.pop("at", ""))[11:19], event.pop("level", "info")
        name, trace = event.pop("event", ""), str(event.pop("exception", ""))
        if trace:
            event["error"] = trace.splitlines()[-1]
        for hidden in ("connection", "batch"):
            event.pop(hidden, None)
        told = ((key, value) for key, value in event.items() if value not in ("", None, {}))
        values = " ".join(f"{key}={_short(value)}" for key, value in told)
        mark = "" if level == "info" else f"{level}: "
        return f"{at}Z {mark}{self._bold}{name}{self._end} {values}".rstrip()


def _short(value: Any) -> str:
    pairs = value.items() if isinstance(value, dict) else ()
    text = ", ".join(f"{name} {number}" for name, number in pairs) or str(value)
    return f'"{text}"' if " " in text else text


class _PrivateFile(RotatingFileHandler):
    """Rotation by size, mode 0600, and opened anew after another process has rotated it."""

    _last: tuple[logging.LogRecord | None, str] = (None, "")
    _size = 0  # of the file, before this record

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_APPEND | os.O_CREAT | os.O_WRONLY, FILE_MODE)
        return os.fdopen(descriptor, "a", encoding=self.encoding)

    def format(self, record: logging.LogRecord) -> str:
        """As it is; asked twice for each record, of which it is made once."""
        if self._last[0] is not record:
            self._last = (record, super().format(record))
        return self._last[1]

    def emit(self, record: logging.LogRecord) -> None:
        self._size = 0
        if self.stream is not None and self._moved(self.stream.fileno()):
            self.stream.close()
            self.stream = self._open()
        super().emit(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """By the size that `emit` has just seen: logging's own asks the disk three times more."""
        return 0 < self.maxBytes <= self._size + len(self.format(record).encode()) + 1

    def _moved(self, descriptor: int) -> bool:
        try:
            there, ours = os.stat(self.baseFilename), os.fstat(descriptor)  # noqa: PTH116 - cheap
        except FileNotFoundError:
            return True
        self._size = there.st_size
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk must not end the batch: the state's own commits will, and say so."""
        reason = sys.exc_info()[1]
        sys.stderr.write(f"syncjob: the log {self.baseFilename} cannot be written: {reason}\n")
