"""JUnit XML: one test case a scenario, for continuous integration."""

from xml.etree.ElementTree import Element, SubElement, tostring

from acl_engine.domain.text import Lang
from acl_engine.replay.result import Replay, ScenarioResult, Verdict


def junit(replay: Replay, lang: Lang) -> str:
    """The document: ERROR is an error, SKIPPED is skipped, all else short is a failure."""
    suite = Element("testsuite", name=f"acl-replay.{replay.pack}", time=f"{replay.seconds:.2f}")
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for one in replay.results:
        case = SubElement(suite, "testcase", classname=f"{replay.pack}.case{one.case}", name=one.id)
        kind = _kind(one)
        if kind:
            counts[kind] += 1
            message = "; ".join(problem.of(lang) for problem in one.problems)
            SubElement(case, kind, message=message).text = _stops(one)
    suite.set("tests", str(len(replay.results)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _kind(one: ScenarioResult) -> str:
    verdict = one.after.verdict if one.after else Verdict.ERROR
    if verdict is Verdict.SKIPPED:
        return "skipped"
    if one.holds:
        return ""
    return "error" if verdict is Verdict.ERROR else "failure"


def _stops(one: ScenarioResult) -> str:
    stops = one.after.stopped if one.after else ()
    return "\n".join(f"{step.id}: {step.line} {' '.join(step.controls)}" for step in stops)
