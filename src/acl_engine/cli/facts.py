"""Facts as a command is given them: NAME=VALUE, by the kind that the catalogue says."""

from collections.abc import Iterable, Mapping

import click

from acl_engine.domain.facts import Value


def one_of(known: Iterable[str]) -> str:
    return "one of " + ", ".join(known)


def given_facts(given: Iterable[str], kinds: Mapping[str, str], option: str) -> dict[str, Value]:
    """Each fact by its name; a set is written a,b,c. Raises BadParameter for `option`."""
    facts: dict[str, Value] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or name not in kinds:
            raise click.BadParameter(f"NAME=VALUE, NAME {one_of(kinds)}", param_hint=option)
        facts[name] = _value(text, kinds[name], option)
    return facts


def _value(text: str, kind: str, option: str) -> Value:
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and text.lstrip("-").isdecimal():
        return int(text)
    if kind == "set":
        return frozenset(filter(None, text.split(",")))
    if kind == "text":
        return text
    raise click.BadParameter(f"a value of type {kind}", param_hint=option)
