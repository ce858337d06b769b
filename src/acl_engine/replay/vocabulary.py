"""What a catalogue says to a replay: which field is a record's number, which word means which
field, and what kind of value each is. Nothing in the replay names a field of one company."""

from collections.abc import Mapping
from dataclasses import dataclass

from acl_engine.domain.pack import Kind, ResourceSpec


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`words` are those of scenarios (`phone`) for fields (`recipient_phone`); `keys` the fields
    that number a record; `kinds` the kind of every field."""

    words: Mapping[str, str]
    keys: frozenset[str]
    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, resources: Mapping[str, ResourceSpec]) -> "Vocabulary":
        words: dict[str, str] = {}
        kinds: dict[str, Kind] = {}
        for spec in resources.values():
            for name, field in spec.fields.items():
                kinds.setdefault(name, field.kind)
                if field.word:
                    words.setdefault(field.word, name)
        return cls(words, frozenset(spec.key for spec in resources.values()), kinds)

    def field(self, word: str) -> str:
        """The record's field that a scenario's word means."""
        return self.words.get(word, word)


WORDLESS = Vocabulary({}, frozenset(), {})
