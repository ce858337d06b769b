"""What returned bytes teach: fields of records, compared with the seed's truth."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.world.entry import Entry
from acl_engine.replay.world.truth import Truth

# A shorter value stands in any page by chance.
_TELLING = 6


def learn(
    mind: Mind,
    truth: Truth,
    views: Iterable[Mapping[str, str]],
    key: str | None,
    by: Mapping[str, str],
) -> list[Fact]:
    """Take records in, asked for by `key` or `by`. What was taught."""
    taught: list[Fact] = []
    for view in views:
        taught += _named(mind, truth, view)
        # A masked number names no record; the key that was asked by does.
        names = (key, view.get("handle"), *(view.get(one) for one in truth.vocabulary.keys))
        known = (truth.by_number.get(name) for name in names if name)
        entry = next((one for one in known if one), None)
        if entry is None:
            continue
        truths = {**entry.fields, entry.key_field: entry.key}
        city = str(entry.facts.get("city") or "")
        for name, shown in view.items():
            if name == "handle":
                continue
            fact = Fact(entry.key, name)
            true = truths.get(name, shown if name in ("route", "trace") else "")
            mind.learn(fact, shown, true, city)
            taught.append(fact)
        mind.left.setdefault(Fact(entry.key, entry.key_field), 1)
        field = truth.vocabulary.field("phone")
        phone = truths.get(field)
        if phone and (field in by or "phone" in by or view.get(field) == phone):
            mind.link(phone, entry.key)
    return taught


def _named(mind: Mind, truth: Truth, view: Mapping[str, str]) -> Iterator[Fact]:
    """A record's number, wherever it is shown: a case of asking names the parcel it is about."""
    for name, shown in view.items():
        entry = truth.by_number.get(shown) if name != "handle" else None
        if entry is not None and shown == entry.key:
            fact = Fact(entry.key, entry.key_field)
            mind.learn(fact, shown, shown)
            yield fact


def read_reply(
    mind: Mind, truth: Truth, body: bytes, about: Iterable[Entry], sent: str
) -> list[Fact]:
    """What the bytes of an HTTP answer teach: the records in a JSON body, and every telling clear
    value of a record that the scenario is about, wherever it stands; `sent` is no news."""
    text = body.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    taught = learn(mind, truth, _records(document, truth.vocabulary.keys), None, {})
    said = text if document is None else json.dumps(document, ensure_ascii=False)
    for entry in about:
        for name, value in {**entry.fields, entry.key_field: entry.key}.items():
            if len(value) >= _TELLING and value in said and value not in sent:
                fact = Fact(entry.key, name)
                mind.learn(fact, value, value, str(entry.facts.get("city") or ""))
                taught.append(fact)
    return taught


def _records(document: Any, keys: frozenset[str]) -> Iterator[dict[str, str]]:
    """Every mapping in a JSON value that is a record: a handle or number, and its fields."""
    if isinstance(document, list):
        for one in document:
            yield from _records(one, keys)
    elif isinstance(document, dict):
        fields = document.get("fields")
        record = {**document, **fields} if isinstance(fields, dict) else document
        if "handle" in record or not keys.isdisjoint(record):
            yield {name: value for name, value in record.items() if isinstance(value, str)}
        for one in document.values():
            yield from _records(one, keys)
