"""Findings of a check as text, JSON and SARIF 2.1.0."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from acl_engine.analysis.findings import Finding
from acl_engine.cli.saying import unquoted
from acl_engine.domain.text import Lang, Text

LEVELS = {
    "error": Text("findings.error", "错误", "error"),
    "warning": Text("findings.warning", "警告", "warning"),
    "note": Text("findings.note", "提示", "note"),
}
SUMMARY = Text(
    "findings.summary",
    "{errors} 个错误，{warnings} 个警告，{notes} 个提示",
    "errors: {errors}, warnings: {warnings}, notes: {notes}",
)
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def as_text(findings: tuple[Finding, ...], lang: Lang) -> str:
    """One line a finding, `file:line: level: what (what to do)`, then the counts."""
    lines = []
    for one in findings:
        hint = one.message.hint(lang)
        tail = f" ({hint})" if hint else ""
        level = LEVELS[one.level].of().render(lang)
        lines.append(f"{one.where}: {level}: {one.message.render(lang)}{tail}")
    return unquoted("\n".join([*lines, summary(findings, lang)]))


def summary(findings: tuple[Finding, ...], lang: Lang) -> str:
    counts = {level: sum(one.level == level for one in findings) for level in LEVELS}
    return SUMMARY.of(
        errors=counts["error"], warnings=counts["warning"], notes=counts["note"]
    ).render(lang)


def as_json(findings: tuple[Finding, ...], folder: str, version: str | None) -> str:
    """`acl-check/1`: texts in both languages, so that one document serves every reader."""
    document = {
        "schema": "acl-check/1",
        "folder": folder,
        "version": version,
        "findings": [
            {
                "level": one.level,
                "code": one.message.code,
                "file": one.where.file,
                "line": one.where.line,
                "column": one.where.column,
                "message": {"zh": one.message.render("zh"), "en": one.message.render("en")},
                "hint": {"zh": one.message.hint("zh"), "en": one.message.hint("en")},
            }
            for one in findings
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_sarif(findings: tuple[Finding, ...], lang: Lang) -> str:
    """SARIF 2.1.0 (OASIS), which code hosts show beside the line."""
    rules = {one.message.code: one.message.text for one in findings}
    ids = sorted(rules)
    run = {
        "tool": {
            "driver": {
                "name": "acl policy check",
                "rules": [
                    {"id": code, "shortDescription": {"text": _template(rules[code], lang)}}
                    for code in ids
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, ids, lang) for one in findings],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2)


def _template(text: Text, lang: Lang) -> str:
    return re.sub(r"`?\{\w+\}`?", "…", text.zh if lang == "zh" else text.en)


def _result(one: Finding, ids: list[str], lang: Lang) -> dict[str, Any]:
    hint = one.message.hint(lang)
    text = one.message.render(lang) + (f" ({hint})" if hint else "")
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(one.where.file)}}
    if one.where.line:
        region = {"startLine": one.where.line}
        place["region"] = region | ({"startColumn": one.where.column} if one.where.column else {})
    return {
        "ruleId": one.message.code,
        "ruleIndex": ids.index(one.message.code),
        "level": one.level,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """Relative to where the command runs when below it, as code hosts want; else a file URI."""
    path = Path(file).resolve()
    here = Path.cwd().resolve()
    return quote(path.relative_to(here).as_posix()) if path.is_relative_to(here) else path.as_uri()
