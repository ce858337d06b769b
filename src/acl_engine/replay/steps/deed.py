"""A deed: what a step does that is no request of an actor.

A new deed is a struct with its `kind` (the `tag`), what it needs as fields, and `do`; put into a
file beside this one and into its family's union in `__init__`, the reader, the published schema
and the runner know it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from acl_engine.replay.outcome import Outcome
from acl_engine.replay.stage import Stage


@dataclass(frozen=True, slots=True)
class Scene:
    """What a deed may use. `fill` puts the true values into a text's `${variables}`; `account`
    turns an actor's name into a login, and leaves a login as it is."""

    stage: Stage
    fill: Callable[[str], str]
    account: Callable[[str], str]


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """The base of every deed."""

    def do(self, scene: Scene) -> Outcome:
        """Do it. A refusal is an outcome; an error is the file's or the engine's fault."""
        raise NotImplementedError

    def texts(self) -> Iterator[str]:
        """Every text in which a `${variable}` may stand."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                yield from (one for one in value.values() if isinstance(one, str))

    def act(self, account: Callable[[str], str]) -> tuple[str, str] | None:
        """What was done to what, for `acts(who, action, object)`; None: nothing that counts.

        `account` turns an actor's name into a login."""
        return None
