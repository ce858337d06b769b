"""The log's lines: time, level, what is said. The time's text is made once a second."""

import logging
import time
from collections.abc import Callable
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def log_to(stream: TextIO) -> None:
    """From now on this process's log goes there."""
    logging.basicConfig(level=logging.INFO, handlers=[_Lines(stream)])


def shortest_way(log: logging.Logger) -> Callable[[str], None]:
    """What writes a line of `log` at level INFO.

    Where nothing but this module's stream takes it, no record is made for it: that costs more than
    all else that is done about a request which was answered from memory.
    """
    taking = logging.root.handlers
    if len(taking) == 1 and isinstance(taking[0], _Lines) and not log.handlers and log.propagate:
        return taking[0].info if log.isEnabledFor(logging.INFO) else _unsaid
    return log.info


def _unsaid(text: str) -> None: ...


class _Lines(logging.StreamHandler[TextIO]):
    """`logging.StreamHandler`, which asks the time zone's rules for each line."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._clock = _Clock(_FORMAT)
        self.setFormatter(self._clock)

    def info(self, text: str) -> None:
        """One line, like any other's; what cannot be written is passed over, as `logging` does."""
        now = time.time()
        line = f"{self._clock.text(now)},{int(now % 1 * 1000):03d} INFO {text}{self.terminator}"
        self.acquire()
        try:
            self.stream.write(line)
            self.stream.flush()
        except (OSError, ValueError):  # a full disk, a closed stream
            return
        finally:
            self.release()


class _Clock(logging.Formatter):
    _second, _text = -1, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"{self.text(record.created)},{int(record.msecs):03d}"

    def text(self, moment: float) -> str:
        second = int(moment)
        if second != self._second:
            text = time.strftime(self.default_time_format, self.converter(second))
            self._second, self._text = second, text
        return self._text
