"""The log's lines: time, level, what is said. The time's text is made once a second."""

import logging
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def log_to(stream: TextIO) -> None:
    """From now on this process's log goes there."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class _Formatter(logging.Formatter):
    """`logging.Formatter`, which asks the time zone's rules for each line."""

    _second, _text = -1, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        second = int(record.created)
        if second != self._second:
            text = super().formatTime(record, self.default_time_format)
            self._second, self._text = second, text
        return f"{self._text},{int(record.msecs):03d}"
