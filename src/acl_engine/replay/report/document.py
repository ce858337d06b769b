"""The JSON document `acl-replay/1` and its published schema: for machines and for diffs."""

from collections.abc import Mapping
from typing import Any

from acl_engine.replay.report import words
from acl_engine.replay.result import Drawn, Replay, ScenarioResult, Side, Verdict

SCHEMA = "acl-replay/1"


def document(replay: Replay) -> dict[str, Any]:
    """The whole replay as one JSON value."""
    return {
        "schema": SCHEMA,
        "pack": replay.pack,
        "seed": replay.seed,
        "mode": replay.mode,
        "results": [_result(one) for one in replay.results],
        "summary": _summary(replay),
    }


def _result(one: ScenarioResult) -> dict[str, Any]:
    after = one.after
    return {
        "id": one.id,
        "title": {"zh": one.title.zh, "en": one.title.en},
        "case": one.case,
        "patterns": list(one.patterns),
        "severity": one.severity,
        "before": _side(one.before),
        "after": _side(after, one.assumed),
        "ablation": _ablation(one),
        "legit": {
            "allowed": sum(1 for legit in one.legit if legit.allowed),
            "denied": sum(1 for legit in one.legit if not legit.allowed),
            "extra": sorted({name for legit in one.legit for name in legit.extra}),
            "missing": sorted({name for legit in one.legit for name in legit.missing}),
        },
        "variants": [
            {
                "name": one.name,
                "before": str(one.before) if one.before else None,
                "after": str(one.after),
                "kept": one.kept,
            }
            for one in one.variants
        ],
        "cost": _cost(after),
        "audit": {
            "every_step_named": after.every_step_named if after else False,
            "detected_minutes": after.detected if after else None,
            "detected_by": (after.detected_by or None) if after else None,
            "traced_to": list(after.traced) if after else [],
        },
        "residual": _residual(one),
        "holds": one.holds,
        "problems": [{"zh": problem.zh, "en": problem.en} for problem in one.problems],
    }


def _side(side: Side | None, assumed: tuple[Drawn, ...] = ()) -> dict[str, Any] | None:
    if side is None:
        return None
    stopped = [(step, False) for step in side.stopped]
    reached = {step.id for step in side.stopped}
    stopped += [(s, True) for s in assumed if s.tried and not s.allowed and s.id not in reached]
    return {
        "verdict": str(side.verdict),
        "goal_reached": side.reached,
        "candidates": side.candidates or None,
        "stopped": [_stop(step, handed) for step, handed in stopped],
        "knowledge": [
            {"who": known.who, "fact": known.fact, "candidates": known.left}
            for known in side.knowledge
        ],
        "why": side.why,
    }


def _stop(step: Drawn, assumed: bool) -> dict[str, Any]:
    return {
        "step": step.id,
        "line": step.line,
        "control": step.controls[0] if step.controls else None,
        "controls": list(step.controls),
        "rule": step.rule or None,
        "reason": step.reason,
        "assumed": assumed,
        "as_stated": step.as_stated,
    }


def _ablation(one: ScenarioResult) -> dict[str, Any] | None:
    found = one.ablation
    if found is None:
        return None
    return {
        "positive_control": str(found.positive) if found.positive else None,
        "single": dict(sorted(found.single.items())),
        "single_points": list(found.single_points),
        "reopen": [list(some) for some in found.reopen],
        "bound": found.bound,
    }


def _cost(side: Side | None) -> dict[str, int]:
    cost = side.cost if side else None
    return {
        "accounts": cost.accounts if cost else 0,
        "devices": cost.devices if cost else 0,
        "lookups": cost.lookups if cost else 0,
        "days": cost.days if cost else 0,
    }


def _residual(one: ScenarioResult) -> dict[str, Any] | None:
    bound = one.residual
    if bound is None:
        return None
    return {
        "people_a_day": bound.people_a_day,
        "noticed_by": {"zh": bound.noticed_by.zh, "en": bound.noticed_by.en},
        "named": bound.named,
        "owner": bound.owner,
        "until": bound.until,
    }


def _summary(replay: Replay) -> dict[str, Any]:
    after = [one.after.verdict for one in replay.results if one.after]
    counts: Mapping[str, int] = {
        str(verdict): after.count(verdict) for verdict in Verdict if verdict in after
    }
    return {
        "scenarios": len(replay.results),
        "held": len(replay.results) - len(replay.short),
        "short": [one.id for one in replay.short],
        "verdicts": dict(counts),
        "controls_never_needed": sorted(unneeded(replay)),
        "exit_code": replay.exit_code,
        "seconds": round(replay.seconds, 2),
    }


def unneeded(replay: Replay) -> set[str]:
    """Controls of the pack whose loss re-opens no leak of this replay, alone or in a smallest set;
    without ablation, those that no scenario names. A part of a pack's scenarios tells nothing."""
    if not replay.whole:
        return set()
    needed: set[str] = set()
    for one in replay.results:
        lost = one.ablation.reopen if one.ablation else (one.controls,)
        needed.update(name for some in lost for name in some)
    return set(replay.control_names) - needed


def schema() -> dict[str, Any]:
    """The JSON Schema of the document: enough that a reader can rely on every key."""
    text, number, flag = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
    verdict = {"enum": [str(one) for one in Verdict]}
    both = _object({"zh": text, "en": text})
    stop = _object(
        {
            "step": text,
            "line": {"enum": [*words.LINE_NUMBERS, *words.BESIDE, "?"]},
            "control": {"type": ["string", "null"]},
            "controls": _list(text),
            "rule": {"type": ["string", "null"]},
            "reason": text,
            "assumed": flag,
            "as_stated": flag,
        }
    )
    known = _object({"who": text, "fact": text, "candidates": number})
    side = _object(
        {
            "verdict": verdict,
            "goal_reached": flag,
            "candidates": {"type": ["integer", "null"]},
            "stopped": _list(stop),
            "knowledge": _list(known),
            "why": text,
        }
    )
    either = {"anyOf": [side, {"type": "null"}]}
    ablation = _object(
        {
            "positive_control": {"anyOf": [verdict, {"type": "null"}]},
            "single": {"type": "object", "additionalProperties": flag},
            "single_points": _list(text),
            "reopen": _list(_list(text)),
            "bound": number,
        }
    )
    result = _object(
        {
            "id": text,
            "title": both,
            "case": number,
            "patterns": _list(number),
            "severity": text,
            "before": either,
            "after": either,
            "ablation": {"anyOf": [ablation, {"type": "null"}]},
            "legit": _object(
                {"allowed": number, "denied": number, "extra": _list(text), "missing": _list(text)}
            ),
            "variants": _list(
                _object(
                    {
                        "name": text,
                        "before": {"anyOf": [verdict, {"type": "null"}]},
                        "after": verdict,
                        "kept": flag,
                    }
                )
            ),
            "cost": _object(
                {"accounts": number, "devices": number, "lookups": number, "days": number}
            ),
            "audit": _object(
                {
                    "every_step_named": flag,
                    "detected_minutes": {"type": ["integer", "null"]},
                    "detected_by": {"type": ["string", "null"]},
                    "traced_to": _list(text),
                }
            ),
            "residual": {"type": ["object", "null"]},
            "holds": flag,
            "problems": _list(both),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_object(
            {
                "schema": {"const": SCHEMA},
                "pack": text,
                "seed": text,
                "mode": {"enum": ["both", "one"]},
                "results": _list(result),
                "summary": {"type": "object"},
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}
