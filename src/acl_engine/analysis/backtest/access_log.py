"""Reading a log of past accesses: an old system's CSV, or the records of this engine's own log.

Times are ISO 8601 or epoch seconds; a time without a zone is in the zone that is given.

INVARIANT: every line comes out, readable or not; nothing is sorted and nothing is merged.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, repeat
from typing import Any, BinaryIO

import msgspec
import numpy as np

from acl_engine.analysis.backtest.columns import FALSE, MOMENTS, NO_WORD, TRUE, Array
from acl_engine.analysis.backtest.csv_log import PART, Columns, csv_columns
from acl_engine.analysis.backtest.judging import (
    ACTIONS,
    NO_RECORD,
    UNKNOWN_RECORD,
    Batch,
)
from acl_engine.analysis.backtest.past import Lines, Past

NO_TIME = -1
_PLAIN = "2020-10-01 08:30:00"


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a log: the past that it is about, what its words for actions mean, and the zone
    of its times (hours east of UTC)."""

    past: Past
    actions: Mapping[str, str]
    utc_offset: float = 8.0


def csv_batches(file: BinaryIO, encoding: str, reading: Reading) -> Iterator[Batch]:
    """The batches of a CSV file. Raises InputError, see `csv_log`."""
    return (batch_of(part, reading) for part in csv_columns(file, encoding))


def batch_of(part: Columns, reading: Reading) -> Batch:
    """Columns of a CSV file as the places, moments and words that they name."""
    return _batch(reading, times(part.time, reading.utc_offset), part)


def _batch(reading: Reading, at: Array, part: Columns) -> Batch:
    past, size = reading.past, len(part.number)
    words = {str(one): place for place, one in enumerate(ACTIONS)}
    words |= {old: words[new] for old, new in reading.actions.items()}
    record = past.record(part.waybill)
    unknown = np.flatnonzero(record < 0).tolist()
    record[unknown] = [UNKNOWN_RECORD if part.waybill[at] else NO_RECORD for at in unknown]
    if part.device is None:
        # An old log knows no devices. Counting each access as on an unbound one would deny all of
        # them and hide every other reason.
        device = np.full(size, TRUE, dtype=np.int8)
    else:
        device = (_column(map(len, part.device), size) > 0).astype(np.int8)
    return Batch(
        Lines(past.who(part.account), record, at, device, _purposes(past, part)),
        _column(map(words.get, part.action, repeat(-1)), size),
        at != NO_TIME,
        np.full(size, TRUE, dtype=np.int8),
        part.number,
        part.device is not None,
    )


def _purposes(past: Past, part: Columns) -> Array:
    if part.purpose is None:
        return np.full(len(part.number), NO_WORD, dtype=np.int64)
    found = past.words.find(part.purpose)
    return np.where(found == past.words.add(""), NO_WORD, found)


def _column(values: Iterable[int], size: int) -> Array:
    return np.fromiter(values, np.int64, size)


def times(texts: Sequence[str], utc_offset: float) -> Array:
    """Epoch seconds; NO_TIME for what is no time."""
    if set(map(len, texts)) != {len(_PLAIN)}:
        return np.fromiter((_time(text, utc_offset) for text in texts), np.int64, len(texts))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy warns of a zone, which it would misread
            found = np.array(texts, dtype="datetime64[s]").astype(np.int64)
    except (ValueError, Warning):
        return np.fromiter((_time(text, utc_offset) for text in texts), np.int64, len(texts))
    found -= round(utc_offset * 3600)
    return np.where((found >= 0) & (found < MOMENTS), found, NO_TIME)


def _time(text: str, utc_offset: float) -> int:
    text = text.strip()
    if text.isdecimal() and len(text) >= 9:  # shorter: a date, or a year
        return int(text) if int(text) < MOMENTS else NO_TIME
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        try:  # unpadded, as spreadsheets write it
            found = datetime.strptime(text + "+0000", "%Y/%m/%d %H:%M%z").replace(tzinfo=None)
        except ValueError:
            return NO_TIME
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone(timedelta(hours=utc_offset)))
    second = int(found.astimezone(UTC).timestamp())
    return second if 0 <= second < MOMENTS else NO_TIME


class _Entry(msgspec.Struct, gc=False):
    """What of a record of this engine's own log a backtest reads."""

    kind: str
    at: int
    action: str
    resource: str
    account: str | None
    device: str | None
    effect: str
    purpose: str | None = None
    subjects: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(_Entry)


def own_batches(
    bodies: Iterable[bytes], resource: str, digest: Callable[[str], str], reading: Reading
) -> Iterator[Batch]:
    """The batches of this engine's own log: each record that was shown, each look that was refused.

    `digest` gives the name under which the log knows a key.
    """
    key_of = {digest(key): key for key in reading.past.keys}
    looks = _looks(bodies, resource, key_of)
    while part := list(islice(looks, PART)):
        at, accounts, actions, keys, devices, purposes, then, numbers = zip(*part, strict=True)
        columns = Columns((), accounts, actions, keys, devices, purposes, np.array(numbers))
        batch = _batch(reading, np.array(at, np.int64), columns)
        yield replace(batch, then=np.array(then, np.int8))


# The key of a record that is gone: no record has it, and it is not empty.
_UNKNOWN = "\0"


def _looks(
    bodies: Iterable[bytes], resource: str, key_of: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    words = {str(one) for one in ACTIONS}
    for number, body in enumerate(bodies, 1):
        try:
            entry = _decoder.decode(body)
        except msgspec.DecodeError:
            yield NO_TIME, "", "", "", "", "", FALSE, number
            continue
        shown = entry.kind == "outcome" and entry.effect == "allow"
        refused = entry.kind == "intent" and entry.effect == "deny"
        if entry.resource != resource or not (shown or refused) or entry.action not in words:
            continue
        subjects = entry.subjects or ("",)
        if refused:
            # A refused search is filed under the values that were searched for: it names no record.
            subjects = tuple(key for key in subjects if key in key_of) or ("",)
        for subject in subjects:
            key = key_of.get(subject, _UNKNOWN) if subject else ""
            yield (
                entry.at // 1000,
                entry.account or "",
                entry.action,
                key,
                entry.device or "",
                entry.purpose or "",
                TRUE if shown else FALSE,
                number,
            )
