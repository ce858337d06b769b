"""Schemathesis over the published document: no 500, and no answer that it does not name."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from acl_engine.web.api.openapi import document
from tests.api_world import Api

# 422: the body fits its type, and a word in it is not the policy's.
ACCEPTED = ["2xx", "401", "403", "422"]
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}}
SCHEMA = schemathesis.openapi.from_dict(document(), config=SchemathesisConfig.from_dict(CONFIG))
UNDER_TEST: dict[str, Any] = {}


async def application(*call: Any) -> None:
    """The service of the running test: operations hold on to the application they were made for."""
    await UNDER_TEST["app"](*call)


SCHEMA.app = application
OPERATIONS = {found.ok().path: found.ok() for found in SCHEMA.get_all_operations()}
EXAMPLES = 8


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", OPERATIONS)
def test_every_answer_is_one_that_the_document_names(
    path: str, mode: GenerationMode, api: Api
) -> None:
    """Bodies that fit, and bodies that do not, by someone who may call."""
    operation: Any = OPERATIONS[path]
    if mode is GenerationMode.NEGATIVE and not operation.body:
        pytest.skip("it takes nothing that could be wrong")
    UNDER_TEST["app"] = api.app
    token = bearer(api, path)

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def each(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    each()


def bearer(api: Api, path: str) -> str:
    """A token that is good, so that more than the doorstep is tried."""
    if path.startswith("/access/"):
        return api.credential("evaluation")
    if path == "/v1/logout":
        return "0" * 64
    return api.token("auditor-01" if "/audit/" in path else "courier-88")
