"""Cross-checks of a pack: every word of a row must exist somewhere. All findings, with lines."""

import dataclasses
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.pack_settings import AccountSettings, CentralSettings
from acl_engine.domain.text import Text
from acl_engine.policy import budget_checks, retention_checks
from acl_engine.policy.expression import Expr, Name, names, parse
from acl_engine.policy.pack_row_checks import in_row, relation_words, row_words, unknown
from acl_engine.policy.pack_rows import read_rows

# Kinds of value whose candidates are counted (`masking/profile_strength.py`).
COUNTED = frozenset({"phone", "name", "id_number"})
# A second factor shown longer ago than this is fresh to nobody.
MOST_FRESH_MINUTES = 30
# More calls a day to one person tell when they are at home.
MOST_ATTEMPTS = 20
LINES = frozenset({"login", *(str(step) for step in range(12))})
FUNCTIONS = frozenset({"startsWith"})
_WORD = re.compile(r"[A-Za-z_][\w-]*")

TWICE = Text(
    "pack.id-twice",
    "行编号 `{id}` 重复",
    "row id `{id}` stands twice",
    "换一个编号",
    "give one of them another id",
)
CYCLE = Text(
    "pack.role-cycle",
    "角色组成环：`{role}`",
    "the role `{role}` is in a cycle",
    "删去环中的一行 g",
    "take one g line of the cycle out",
)
UNUSED = Text(
    "pack.unused-relation",
    "关系 `{name}` 没有任何一行使用",
    "relation `{name}` is used by no row",
    "删除它，或在 policy.csv 中使用",
    "delete it, or use it in policy.csv",
)
REPLAY_ONLY = Text(
    "pack.weak-in-production",
    "设置 `{setting}` 过弱，只允许 `replay_only: true` 的策略",
    "setting `{setting}` is too weak for a pack that is not `replay_only: true`",
    "请改强，或标记为仅供回放",
    "make it stronger, or mark the pack as replay only",
)
PERSONAL = Text(
    "pack.legacy-personal",
    "无密钥巴枪不得显示 `{field}`",
    "a scanner without a key does not show `{field}`",
    "legacy_shows 只写运单号、三段码一类的字段",
    "name codes and routes alone under legacy_shows",
)
NO_DATE = Text(
    "pack.legacy-date",
    "`{text}` 不是日期",
    "`{text}` is no date",
    "写作 2026-06-30",
    "write it as 2026-06-30",
)
# Classes of data that say nothing of a person by themselves.
_SHOWN_ANYWHERE = frozenset({"identifier", "routing"})
NO_CONFIDENTIALITY = Text(
    "pack.no-confidentiality",
    "有保密承诺书，却没有 confidentiality.yaml：数据类别 × 环节的责任没有写明",
    "there is an undertaking but no confidentiality.yaml: nobody is named for class x link",
    "以 policies/courier/after 的文件为样本",
    "take the one of policies/courier/after as an example",
)
NO_UNDERTAKING = Text(
    "pack.no-undertaking",
    "保密承诺书 `{version}` 没有正文",
    "the undertaking `{version}` has no text",
    "把正文写入 undertaking.md",
    "write its text to undertaking.md",
)


def findings(pack: Pack, *, whole: bool = True) -> Iterator[PolicyError]:
    """Everything that is wrong with a pack whose YAML files could each be read.

    `whole` is false where a row could not be read: what only that row names is then not reported
    as missing or unused, so that one mistake is one finding.
    """
    yield from _relations(pack)
    yield from _rows(pack)
    if whole:
        yield from _unused(pack)
    yield from _links(pack)
    yield from _controls(pack, whole)
    yield from _pending(pack)
    yield from _settings(pack)
    yield from budget_checks.findings(pack, key_place(pack, "settings.yaml", "budgets"))
    yield from _legacy(pack)
    yield from _masking(pack, whole)
    yield from _accounts(pack)
    yield from retention_checks.findings(pack)


def _rows(pack: Pack) -> Iterator[PolicyError]:
    seen: set[str] = set()
    for row in pack.rows:
        at = partial(in_row, pack, row)
        if row.id in seen:
            yield PolicyError(TWICE.of(id=row.id), at("id", row.id))
        seen.add(row.id)
        yield from row_words(pack, row, at)
        yield from relation_words(pack, row, at)


def _unused(pack: Pack) -> Iterator[PolicyError]:
    used = {word for row in pack.rows for word in _WORD.findall(row.relation)}
    for name in sorted(set(pack.relations) - used):
        where = key_place(pack, "relations.yaml", name)
        yield PolicyError(UNUSED.of(name=name), where)


def _relations(pack: Pack) -> Iterator[PolicyError]:
    subject = set(pack.subject_attributes)
    resource = {a for spec in pack.resources.values() for a in spec.attributes}
    for name, spec in pack.relations.items():
        where = key_place(pack, "relations.yaml", name)
        if spec.control is not None and spec.control not in pack.controls:
            yield unknown("control", spec.control, set(pack.controls), where)
        try:
            tree = parse(spec.expression, where)
        except PolicyError as finding:
            yield finding
            continue
        yield from _attributes(tree, subject, resource, where)


def _attributes(
    tree: Expr, subject: set[str], resource: set[str], where: Where
) -> Iterator[PolicyError]:
    for path in sorted(names(tree)):
        known = {"sub": subject, "res": resource}.get(path[0])
        if known is None or len(path) != 2 or path[1] not in known:
            yield unknown(
                "attribute",
                ".".join(path),
                {f"sub.{a}" for a in subject} | {f"res.{a}" for a in resource},
                where,
            )
    for function in sorted(_functions(tree) - FUNCTIONS):
        yield unknown("function", function, FUNCTIONS, where)


def _functions(tree: Expr) -> set[str]:
    if isinstance(tree, Name):
        return set()
    found = {".".join(tree.function)} if hasattr(tree, "function") else set()
    for slot in ("args", "items", "parts"):
        for part in getattr(tree, slot, ()):
            found |= _functions(part)
    for slot in ("left", "right", "part"):
        if hasattr(tree, slot):
            found |= _functions(getattr(tree, slot))
    return found


def _links(pack: Pack) -> Iterator[PolicyError]:
    file = f"{pack.folder}/policy.csv"
    parents: dict[str, set[str]] = {}
    for role, group in pack.role_links:
        parents.setdefault(role, set()).add(group)
        where = Where(file, _link_line(pack, role))
        if role not in pack.roles and role not in {child for _, child in pack.role_links}:
            yield unknown("role", role, set(pack.roles), where)
    for role in parents:
        if role in closure(role, parents, with_self=False):
            yield PolicyError(CYCLE.of(role=role), Where(file, _link_line(pack, role)))


def _link_line(pack: Pack, role: str) -> int:
    link = re.compile(rf"\s*g\s*,\s*{re.escape(role)}\s*,")
    return _line_of(pack.files["policy.csv"], link)


def closure(role: str, parents: dict[str, set[str]], *, with_self: bool = True) -> frozenset[str]:
    """Every group that a role belongs to, over any number of links."""
    found: set[str] = {role} if with_self else set()
    waiting = [role]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return frozenset(found)


def _controls(pack: Pack, whole: bool) -> Iterator[PolicyError]:
    rules = {row.id for row in pack.rows}
    settings = {
        f"{part.name}.{field.name}"
        for part in dataclasses.fields(pack.settings)
        if dataclasses.is_dataclass(value := getattr(pack.settings, part.name))
        for field in dataclasses.fields(value)
    }
    for name, control in pack.controls.items():
        where = key_place(pack, "controls.yaml", name)
        if control.line not in LINES:
            yield unknown("line", control.line, LINES, where)
        for rule in control.rules:
            if whole and rule not in rules:
                yield unknown("rule", rule, rules, where)
        for edit in control.off:
            if edit.kind == "relation" and edit.name not in pack.relations:
                yield unknown("relation", edit.name, set(pack.relations), where)
            if whole and edit.kind == "remove" and edit.name not in rules:
                yield unknown("rule", edit.name, rules, where)
            if edit.kind == "setting" and edit.name not in settings:
                yield unknown("setting", edit.name, settings, where)
            if edit.kind == "add":
                yield from _added(pack, str(edit.value), where)


def _added(pack: Pack, line: str, where: Where) -> Iterator[PolicyError]:
    """The row that replay puts in without a control is held to what every row is held to."""
    unread: list[PolicyError] = []
    rows, _ = read_rows(line, where.file, unread)
    yield from (PolicyError(finding.message, where) for finding in unread)
    for row in rows:
        yield from row_words(pack, row, lambda column, word: where)
        yield from relation_words(pack, row, lambda column, word: where)


def _pending(pack: Pack) -> Iterator[PolicyError]:
    file = f"{pack.folder}/pending.yaml"
    fields = {f for spec in pack.resources.values() for f in spec.fields}
    stages = {s for spec in pack.resources.values() for s in spec.stages}
    for cell in pack.pending:
        item = re.compile(rf"\s*-\s*\{{?\s*role:\s*{re.escape(cell.role)}\b")
        where = Where(file, _line_of(pack.files["pending.yaml"], item))
        if cell.role not in pack.roles:
            yield unknown("role", cell.role, set(pack.roles), where)
        for field in cell.fields:
            if field not in fields:
                yield unknown("field", field, fields, where)
        for stage in cell.stages:
            if stage not in stages:
                yield unknown("stage", stage, stages, where)


# A copy that may stay out for longer than a year has no term.
_LONGEST_RELEASE = 366


def _settings(pack: Pack) -> Iterator[PolicyError]:
    settings = pack.settings
    weak = {
        "login.second_factor": settings.login.second_factor == "none",
        "login.device_binding": settings.login.device_binding == "none",
        "login.strong_passwords": not settings.login.strong_passwords,
        "login.sessions_per_person": settings.login.sessions_per_person != 1,
        "login.fresh_minutes": not 1 <= settings.login.fresh_minutes <= MOST_FRESH_MINUTES,
        "login.legacy_confined": not settings.login.legacy_confined,
        "lookup.broad_search": settings.lookup.broad_search,
        "lookup.masked_percent": not 1 <= settings.lookup.masked_percent <= 100,
        "acts.rostered_reassign": not settings.acts.rostered_reassign,
        "acts.dual_scan": not settings.acts.dual_scan,
        "acts.verified_callers": not settings.acts.verified_callers,
        "dial.attempts_per_day": not 1 <= settings.dial.attempts_per_day <= MOST_ATTEMPTS,
        "dial.ends_with_reason": not settings.dial.ends_with_reason,
        "dial.known_callers": not settings.dial.known_callers,
        "audit.first": not settings.audit.first,
        "audit.signed": not settings.audit.signed,
        "audit.whom": not settings.audit.whom,
        "audit.marks": not settings.audit.marks,
        "budgets": not settings.budgets,
        "approvals.runs_out": settings.approvals is not None and not settings.approvals.runs_out,
        "releases.second_person": not settings.releases.second_person,
        "releases.marks": settings.releases.marks < 1,
        "releases.days_max": not 1 <= settings.releases.days_max <= _LONGEST_RELEASE,
        "judicial.second_persons": not settings.judicial.second_persons,
        "judicial.sealed": not settings.judicial.sealed,
        "masking.minimum": not settings.masking.minimum,
        "accounts.live": not settings.accounts.live,
        "accounts.separation": not settings.accounts.separation,
        "accounts.administrators": not settings.accounts.administrators,
        "accounts.device_administrators": not settings.accounts.device_administrators,
        "accounts.training_days": settings.accounts.training_days < 1,
        "accounts.recertify_days": settings.accounts.recertify_days < 1,
        "accounts.dormant_days": settings.accounts.dormant_days < 1,
        "accounts.temporary_days": settings.accounts.temporary_days < 1,
        **{f"central.{name}": is_weak for name, is_weak in _weak_central(settings.central)},
    }
    if not settings.replay_only:
        for name in sorted(name for name, is_weak in weak.items() if is_weak):
            where = key_place(pack, "settings.yaml", name.rpartition(".")[2])
            yield PolicyError(REPLAY_ONLY.of(setting=name), where)


def _legacy(pack: Pack) -> Iterator[PolicyError]:
    """What an old scanner shows are codes and routes; a date that is none would be no cut-off."""
    login = pack.settings.login
    fields = {name: one for spec in pack.resources.values() for name, one in spec.fields.items()}
    where = key_place(pack, "settings.yaml", "legacy_shows")
    for name in login.legacy_shows:
        if name not in fields:
            yield unknown("field", name, set(fields), where)
        elif fields[name].data_class not in _SHOWN_ANYWHERE:
            yield PolicyError(PERSONAL.of(field=name), where)
    try:
        date.fromisoformat(login.legacy_until or "2000-01-01") + timedelta(days=1)
    except (ValueError, OverflowError):  # the last day must have an end
        where = key_place(pack, "settings.yaml", "legacy_until")
        yield PolicyError(NO_DATE.of(text=login.legacy_until), where)


def _weak_central(central: CentralSettings) -> Iterator[tuple[str, bool]]:
    """Tickets live five minutes at most (CAS specification, 3.1.1); what can be off must be on."""
    for one in dataclasses.fields(central):
        value = getattr(central, one.name)
        if isinstance(value, bool):
            yield one.name, not value
    yield "ticket_seconds", not 1 <= central.ticket_seconds <= 300
    yield "farewell_tries", central.farewell_tries < 3


def _masking(pack: Pack, whole: bool) -> Iterator[PolicyError]:
    masking = pack.settings.masking
    where = key_place(pack, "settings.yaml", "masking")
    for kind in {*masking.minimum, *(masking.clear or ())}:
        if kind not in COUNTED:
            yield unknown("kind", kind, COUNTED, where)
    named = [*masking.coalitions, *(masking.clear or {}).values()]
    named += [masking.paper.held_by] if masking.paper else []
    for role in sorted({role for roles in named for role in roles} - set(pack.roles)):
        yield unknown("role", role, set(pack.roles), where)
    rows = {row.id for row in pack.rows}
    for row in masking.paper.rows if masking.paper else ():
        if whole and row not in rows:
            yield unknown("rule", row, rows, where)


def _accounts(pack: Pack) -> Iterator[PolicyError]:
    """A mistyped duty would quietly be apart from nothing; a version needs its text."""
    settings = pack.settings.accounts
    usual = AccountSettings()  # a small pack need not have every role that could be apart
    named = {
        "apart": (role for group in settings.apart for role in group),
        "administrators": settings.administrators,
        "device_administrators": settings.device_administrators,
        "provisions": settings.provisions,
        "temporary_roles": settings.temporary_roles,
    }
    for name, roles in named.items():
        if getattr(settings, name) == getattr(usual, name):
            continue
        where = key_place(pack, "settings.yaml", name)
        for role in roles:
            if role not in pack.roles:
                yield unknown("role", role, set(pack.roles), where)
    if settings.undertaking and not pack.files.get("undertaking.md", "").strip():
        where = key_place(pack, "settings.yaml", "undertaking")
        yield PolicyError(NO_UNDERTAKING.of(version=settings.undertaking), where)
    if settings.undertaking and pack.confidentiality is None:
        yield PolicyError(NO_CONFIDENTIALITY.of(), Where(f"{pack.folder}/confidentiality.yaml"))


def key_line(text: str, key: str) -> int:
    """The first line that has the YAML key `key`, or 0."""
    return _line_of(text, re.compile(rf"[\s{{]*['\"]?{re.escape(key)}['\"]?\s*:"))


def key_place(pack: Pack, file: str, key: str) -> Where:
    """Where the YAML key `key` first stands in one of the pack's files."""
    text = pack.files[file]
    line = key_line(text, key)
    column = text.splitlines()[line - 1].find(key) + 1 if line else 0
    return Where(f"{pack.folder}/{file}", line, column)


def _line_of(text: str, pattern: re.Pattern[str]) -> int:
    """The first line that `pattern` matches, for errors in files whose reader kept no lines."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if pattern.match(line)), 0)
