"""The OpenAPI 3.1 document, made from the table of operations and the types of the bodies."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from acl_engine.web.api.bodies import Problem
from acl_engine.web.api.operations import OPERATIONS, Operation

PROBLEM = "application/problem+json"
_REF = "#/components/schemas/{name}"
# Every refusal is a problem; what each number means here.
_REFUSALS = {
    "400": "The body is no JSON or does not fit its schema",
    "403": "Denied: the same answer whatever the cause; the reason is in the audit log",
    "408": "The body came too slowly",
    "413": "The body is too large",
    "415": "The body is no application/json",
    "422": "A word is not known to the policy, or a piece of the question is missing",
    "500": "An internal error",
    "503": "The service cannot answer now; nothing was done",
}
_NO_TOKEN = "No bearer token, or not one of a live service"  # noqa: S105 - a sentence


@cache
def document() -> dict[str, Any]:
    kinds = [kind for one in OPERATIONS for kind in (one.takes, one.gives) if kind]
    schemas = _schemas([*dict.fromkeys(kinds), Problem])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "acl_engine",
            "version": "1",
            "description": "先留痕，后回答。Every look is on record before it is answered.",
        },
        "paths": {one.path: {"post": _operation(one)} for one in OPERATIONS},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "person": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From /v1/login, or from /v1/ticket for an application",
                },
                "service": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From `acl account issue-token --purpose evaluation`,"
                    " or from /v1/ticket",
                },
            },
        },
    }


def _schemas(kinds: Sequence[type[Any]]) -> dict[str, Any]:
    _, found = msgspec.json.schema_components(kinds, ref_template=_REF)
    return dict(found)


def _operation(one: Operation) -> dict[str, Any]:
    refusals = dict(_REFUSALS)
    if one.bearer != "nobody":
        refusals["401"] = _NO_TOKEN
    made: dict[str, Any] = {
        "operationId": one.name,
        "summary": f"{one.zh} {one.en}",
        "security": [] if one.bearer == "nobody" else [{one.bearer: []}],
        "responses": {
            **({"204": {"description": "Done"}} if one.gives is None else {"200": _ok(one.gives)}),
            **{status: _problem(text) for status, text in sorted(refusals.items())},
        },
    }
    if one.takes is not None:
        made["requestBody"] = {"required": True, "content": _content("application/json", one.takes)}
    return made


def _ok(kind: type[Any]) -> dict[str, Any]:
    return {"description": "Answered", "content": _content("application/json", kind)}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": _content(PROBLEM, Problem)}


def _content(media: str, kind: type[Any]) -> dict[str, Any]:
    return {media: {"schema": {"$ref": _REF.format(name=kind.__name__)}}}
