"""Stock casbin behind a pipe: run by the interpreter of an environment that holds one distribution.

    python tests/oracle/server.py < cases > answers

One JSON line a case: {"model", "policy", "requests"}; one line of answers back: true, false, or
null where casbin raises. A value that is an object stands for an object with attributes, and a
first value `{"context": "2"}` for casbin's EnforceContext. Needs nothing but casbin.
"""

import json
import logging
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any


def near(one: str, two: str) -> bool:
    """The custom function of the generated matchers."""
    return one[:2] == two[:2]


def key_match_custom(key: str, pattern: str) -> bool:
    """The custom function that the example `keymatch_custom` names."""
    return key.startswith(pattern.partition(":")[0])


# Given to both sides.
FUNCTIONS = {"near": near, "keyMatchCustom": key_match_custom}


def given(value: Any) -> Any:
    """A value of a request as it is given to `enforce`."""
    return SimpleNamespace(**value) if isinstance(value, dict) else value


def enforcer(model: str, policy: str) -> Any:
    """casbin's own enforcer over two texts."""
    import casbin
    from casbin.persist.adapters.string_adapter import StringAdapter

    read = casbin.Model()
    read.load_model_from_text(model)
    made = casbin.Enforcer(read, StringAdapter(policy or "\n"))
    for name, function in FUNCTIONS.items():
        made.add_function(name, function)
    return made


def answer(made: Any, request: Sequence[Any]) -> bool | None:
    """casbin's answer, or None where it raises."""
    if request and isinstance(request[0], dict) and "context" in request[0]:
        context = made.new_enforce_context(request[0]["context"])
        context.etype = "e"
        values = [context, *map(given, request[1:])]
    else:
        values = [*map(given, request)]
    try:
        return bool(made.enforce(*values))
    except Exception:  # noqa: BLE001 - casbin raises whatever the matcher raises
        return None


def main() -> None:
    """Answer until the pipe is closed."""
    logging.disable()
    from importlib.metadata import distributions

    found = {one.metadata["Name"]: one.version for one in distributions()}
    print(json.dumps({k: v for k, v in found.items() if k in ("casbin", "pycasbin")}), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        try:
            made = enforcer(case["model"], case["policy"])
            answers = [answer(made, one) for one in case["requests"]]
        except Exception:  # noqa: BLE001 - a policy that casbin cannot load has no answers
            answers = [None] * len(case["requests"])
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
