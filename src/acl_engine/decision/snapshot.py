"""One version of one policy: its indexes, and the decision of each row, made once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from acl_engine.domain.decision import Decision, Effect
from acl_engine.domain.errors import PolicyError
from acl_engine.domain.text import Text
from acl_engine.policy.casbin_rows import Policy
from acl_engine.policy.index import Index

BY_ROW = Text("compiled.by-row", "依据 `{rule}`", "by `{rule}`")
NO_ROW = Text("compiled.no-row", "没有任何一行匹配", "no row matches")
DOUBT = Text(
    "compiled.doubt",
    "无法判定，因此拒绝：{why}",
    "denied, because it could not be decided: {why}",
)


class Snapshot:
    """One version of one policy. Immutable but for what is made once and kept: a decision for
    each row, and the table of whole-array decisions (`batch`)."""

    __slots__ = (
        "allows",
        "batch",
        "candidates",
        "file",
        "find",
        "indexes",
        "known",
        "link_lines",
        "links",
        "readers",
        "strict",
        "version",
        "warnings",
    )

    def __init__(
        self,
        indexes: Mapping[str, Index],
        policy: Policy,
        version: str,
        warnings: tuple[PolicyError, ...],
        strict: bool,
    ) -> None:
        self.indexes = indexes
        self.find = indexes["m"].find
        self.known: Callable[..., Decision | None] = indexes["m"].search.known
        self.allows = [*indexes["m"].allows, indexes["m"].default]
        self.file = policy.file
        self.links = policy.links  # for explanations
        self.link_lines = {name: policy.lines[name] for name in policy.links}
        self.version = version
        self.warnings = warnings
        self.strict = strict
        self.candidates: dict[str, object] = {}  # by request field: see `questions`
        self.readers: dict[str, object] = {}  # by request field: see decision/rows.py
        self.batch: Any = None  # made by `batch` when it is first asked

    def decision(self, matcher: str, rank: int) -> Decision:
        """The decision of one rank, made once."""
        index = self.indexes[matcher]
        known: Decision | None = index.search.kept[rank]
        if known is None:
            known = self._made(index, rank)
            index.keep(rank, known)
        return known

    def _made(self, index: Index, rank: int) -> Decision:
        if rank == len(index.rows):
            effect = Effect.ALLOW if index.default else Effect.DENY
            return Decision(effect, (), NO_ROW.of(), self.version)
        rule = rule_id(index, self.file, rank)
        effect = Effect.ALLOW if index.allows[rank] else Effect.DENY
        return Decision(effect, (rule,), BY_ROW.of(rule=rule), self.version)

    def doubt(self, why: str) -> Decision:
        return Decision(Effect.DENY, (), DOUBT.of(why=why), self.version)


def rule_id(index: Index, file: str, rank: int) -> str:
    """A row's own id if the model has a column `id`, else file and line."""
    if "id" in index.words.policy:
        return index.rows[rank][index.words.policy.index("id")]
    return f"{Path(file).name}:{index.lines[rank]}"
