"""CompiledPolicy: any casbin policy, read strictly, decided in a few look-ups at any size.

    policy = CompiledPolicy.from_files("model.conf", "policy.csv")
    policy.enforce("alice", "data1", "read")          # casbin's call, casbin's answer
    policy.decide("alice", "data1", "read").rules     # the row that decided

INVARIANTS
- Pure: no lock, no clock, nothing stored that grows with who asks.
- A decision is made by one snapshot, and names its version; `swap` is one assignment.
- Any doubt while deciding denies: a missing attribute, a value of the wrong kind, a path that is
  not in normal form.
"""

import hashlib
from pathlib import Path
from typing import Any

from acl_engine.decision import questions
from acl_engine.decision.casbin_why import why
from acl_engine.decision.explanation import Explanation
from acl_engine.decision.rows import scope_of
from acl_engine.decision.snapshot import Snapshot
from acl_engine.domain.decision import Decision, Effect
from acl_engine.domain.errors import InputError, PolicyError, Where
from acl_engine.domain.scope import Scope
from acl_engine.domain.text import Text
from acl_engine.policy import casbin_model, casbin_rows
from acl_engine.policy.expression import Name
from acl_engine.policy.findings import Findings
from acl_engine.policy.index import Functions, Index, Mistyped, build
from acl_engine.policy.patterns import Refused
from acl_engine.policy.role_links import closures

MAX_FILE_BYTES = 1_000_000_000

UNREADABLE_FILE = Text(
    "compiled.file", "文件无法读取：{why}", "the file cannot be read: {why}", "检查路径", "check it"
)
REQUEST_SIZE = Text(
    "compiled.request-size",
    "请求有 {found} 个值，模型定义了 {expected} 个：{fields}",
    "the request has {found} values, the model defines {expected}: {fields}",
    "按模型的次序给出全部字段",
    "give every field, in the model's order",
)
REQUEST_TYPE = Text(
    "compiled.request-type",
    "请求的 `{field}` 必须是文字，给的是 {found}",
    "`{field}` of the request must be a text, got {found}",
    '策略里的值都是文字：数字 1 永远不等于 "1"',
    'the policy holds texts: the number 1 never equals "1"',
)
NO_CONTEXT = Text(
    "compiled.context",
    "没有匹配式 `{name}`",
    "there is no matcher `{name}`",
    "检查 EnforceContext 的 mtype",
    "check the mtype of the EnforceContext",
)


class CompiledPolicy:
    """A casbin model and policy, compiled. Safe from any number of threads."""

    __slots__ = ("_now",)

    def __init__(self, snapshot: Snapshot) -> None:
        self._now = snapshot

    @classmethod
    def from_files(
        cls,
        model_path: str | Path,
        policy_path: str | Path,
        *,
        compat: bool = False,
        functions: Functions | None = None,
    ) -> "CompiledPolicy":
        """Read both files. Raises PolicyErrors with every finding; see `from_text`."""
        texts = [_read(Path(path)) for path in (model_path, policy_path)]
        files = (str(model_path), str(policy_path))
        return cls(_snapshot(texts[0], texts[1], files, compat, functions or {}))

    @classmethod
    def from_text(
        cls,
        model_text: str,
        policy_text: str,
        *,
        compat: bool = False,
        functions: Functions | None = None,
    ) -> "CompiledPolicy":
        """Compile two texts.

        `compat` turns what casbin lets through from an error into a warning (see `warnings`) and
        never allows more than casbin. `functions` are the embedder's own, by name: pure, and
        returning a bool. Raises PolicyErrors.
        """
        files = ("model.conf", "policy.csv")
        return cls(_snapshot(model_text, policy_text, files, compat, functions or {}))

    @property
    def version(self) -> str:
        """A digest of model and policy."""
        return self._now.version

    @property
    def warnings(self) -> tuple[PolicyError, ...]:
        return self._now.warnings

    @property
    def snapshot(self) -> Snapshot:
        """The version that decides now, for readings other than `decide`."""
        return self._now

    def swap(self, new: "CompiledPolicy") -> None:
        """Decide by `new` from now on: one assignment, seen by every thread at once."""
        self._now = new._now

    def enforce(self, *request: Any) -> bool:
        """casbin's `enforce`: whether the request is allowed."""
        now = self._now
        try:
            return now.allows[now.find(*request)]
        except Exception:  # noqa: BLE001 - any doubt denies; told apart there
            return _careful(now, request).effect is Effect.ALLOW

    def decide(self, *request: Any) -> Decision:
        """Allow or deny, by which row, of which version.

        As in casbin, an `EnforceContext` may come first. Raises InputError for a request that
        the model does not define.
        """
        now = self._now
        try:
            known = now.known(*request)
            return now.decision("m", now.find(*request)) if known is None else known
        except Exception:  # noqa: BLE001 - any doubt denies; told apart there
            return _careful(now, request)

    def scope(self, *request: Any) -> Scope:
        """Which records are allowed: `policy.scope("bob", Rows({"branch": "text"}), "read")`.

        A record is in the scope exactly if `enforce` allows it. Raises PolicyError for a condition
        that a row filter cannot say, InputError for a request that the model does not define.
        """
        return scope_of(self._now, request)

    def explain(self, *request: Any) -> Explanation:
        """The row and the role links that decided, or the nearest miss and what it lacked.

        For the policy's author: it names values. Raises InputError as `decide` does.
        """
        now = self._now
        decision = CompiledPolicy(now).decide(*request)
        name, bare = _context(request)
        return why(now, name, bare, decision)

    def subjects_for(self, *, after: str = "", limit: int = 1000, **fixed: Any) -> questions.Page:
        """Everyone in the policy who may; the other fields by name: `obj="/a", act="read"`."""
        return questions.who(self._now, self._field(0), fixed, after, limit)

    def resources_for(self, *, after: str = "", limit: int = 1000, **fixed: Any) -> questions.Page:
        """Every resource of the policy that may be reached: `sub="bob", act="read"`."""
        return questions.who(self._now, self._field(-2), fixed, after, limit)

    def actions_for(self, *, after: str = "", limit: int = 1000, **fixed: Any) -> questions.Page:
        """Every action of the policy that may be taken: `sub="bob", obj="/a"`."""
        return questions.who(self._now, self._field(-1), fixed, after, limit)

    def words(self, field: str) -> tuple[str, ...]:
        """Every word of the policy that a field of the request could be: its actions, say."""
        return questions.words(self._now, field)

    def _field(self, at: int) -> str:
        # casbin's order: the subject first, the action last, the object before it.
        return self._now.indexes["m"].words.request[at]

    def decide_many(self, *columns: Any) -> Any:
        """A numpy bool array: the answers for whole columns of requests. Needs `[batch]`."""
        from acl_engine.decision.batch import decide_many

        now = self._now
        return decide_many(now, columns, CompiledPolicy(now).enforce)


def _careful(now: Snapshot, request: tuple[Any, ...]) -> Decision:
    """The slow way: a context first, a request of the wrong size, or a doubt."""
    name, request = _context(request)
    index = now.indexes.get(name)
    if index is None:
        raise InputError(NO_CONTEXT.of(name=name))
    fields = index.words.request
    if len(request) != len(fields):
        message = REQUEST_SIZE.of(
            found=len(request), expected=len(fields), fields=", ".join(fields)
        )
        raise InputError(message)
    if now.strict:
        _check_types(index, request)
    try:
        rank = index.find(*request)
    except Mistyped:  # a subclass of str, checked above, that matches no row
        rank = len(index.rows)
    except Refused as refused:
        return now.doubt(str(refused.args[0]))
    except Exception as failure:  # noqa: BLE001 - the embedder's objects and functions may raise anything
        return now.doubt(type(failure).__name__)
    return now.decision(name, rank)


def _context(request: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The matcher that a casbin EnforceContext names, and the request without it."""
    if request and hasattr(request[0], "mtype"):
        return str(request[0].mtype), request[1:]
    return "m", request


def _check_types(index: Index, request: tuple[Any, ...]) -> None:
    """Whether a value is looked up that can match no row."""
    for branch in index.branches:
        for part in branch.keys:
            if not isinstance(part.value, Name) or len(part.value.path) != 2:
                continue
            field = part.value.path[1]
            value = request[index.words.request.index(field)]
            if not isinstance(value, str):
                raise InputError(REQUEST_TYPE.of(field=field, found=type(value).__name__))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PolicyError(UNREADABLE_FILE.of(why="too large"), Where(str(path)))
        return path.read_bytes().decode("utf-8")
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        raise PolicyError(UNREADABLE_FILE.of(why=why), Where(str(path))) from None
    except UnicodeDecodeError:
        raise PolicyError(UNREADABLE_FILE.of(why="not UTF-8"), Where(str(path))) from None


def _snapshot(
    model_text: str,
    policy_text: str,
    files: tuple[str, str],
    compat: bool,
    functions: Functions,
) -> Snapshot:
    notes = Findings(compat=compat)
    model = casbin_model.read_model(model_text, files[0], notes)
    policy = casbin_rows.read_policy(policy_text, files[1], model, notes)
    where = Where(files[1])
    reach = {
        name: closures(policy.links.get(name, []), where, notes, policy.lines.get(name, ()))
        for name in model.roles
    }
    indexes: dict[str, Index] = {}
    if policy.rows:
        for name, matcher in model.matchers.items():
            index = build(matcher, model, policy, reach, functions, notes)
            if index is not None:
                indexes[name] = index
    notes.settle()
    digest = hashlib.sha256(f"{len(model_text)}\n{model_text}{policy_text}".encode()).hexdigest()
    return Snapshot(indexes, policy, digest[:16], tuple(notes.warnings), not compat)
