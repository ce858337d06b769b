"""Each trap of stock casbin, by name: refused with file, line and hint; never wider."""

import itertools
from pathlib import Path

import pytest
from tests.oracle.server import answer
from tests.oracle.server import enforcer as stock

from acl_engine import CompiledPolicy
from acl_engine.domain.errors import InputError, PolicyErrors

MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
"""
ROW = "p, alice, /data, read\n"
DENY = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
WITH_EFT = MODEL.replace("obj, act\n[policy_e", "obj, act, eft\n[policy_e").replace(
    "some(where (p.eft == allow))", DENY
)
PRIORITY = WITH_EFT.replace(DENY, "priority(p.eft) || deny").replace("p = sub", "p = priority, sub")
ROLES = MODEL.replace("[policy_effect]", "[role_definition]\ng = _, _\n[policy_effect]").replace(
    "r.sub == p.sub", "g(r.sub, p.sub)"
)


def matcher(text: str, model: str = MODEL) -> str:
    return model[: model.index("m = ")] + f"m = {text}\n"


def refused(model: str, policy: str, code: str, line: int | None = None) -> None:
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_text(model, policy)
    found = {
        (error.message.code, error.where.line if error.where else 0)
        for error in caught.value.errors
    }
    assert code in {one for one, _ in found}, caught.value.render()
    if line is not None:
        assert (code, line) in found


def test_an_empty_policy_is_refused_where_casbin_allows_the_empty_request() -> None:
    assert answer(stock(MODEL, ""), ("", "", "")) is True
    refused(MODEL, "", "rows.empty")
    assert not CompiledPolicy.from_text(MODEL, "", compat=True).enforce("", "", "")


def test_an_effect_that_allows_by_default_is_warned_of() -> None:
    model = WITH_EFT.replace(DENY, "!some(where (p.eft == deny))")
    policy = CompiledPolicy.from_text(model, "p, alice, /data, read, deny\n")
    assert [one.message.code for one in policy.warnings] == ["model.default-allow"]


@pytest.mark.parametrize("effect", ["Deny", "DENY", "denied", "intdeterminate"])
def test_an_effect_that_is_neither_allow_nor_deny(effect: str) -> None:
    refused(
        WITH_EFT,
        f"p, alice, /data, read, allow\np, alice, /data, read, {effect}\n",
        "rows.effect",
        2,
    )


@pytest.mark.parametrize("kind", ["pp", "P", "p2", "deny"])
def test_a_mistyped_line_type_is_not_skipped(kind: str) -> None:
    refused(MODEL, ROW + f"{kind}, alice, /data, read\n", "rows.line-type", 2)


def test_a_priority_that_is_not_a_number() -> None:
    refused(PRIORITY, "p, high, alice, /data, read, allow\n", "rows.priority", 1)


def test_priorities_are_honoured_however_the_file_orders_them() -> None:
    policy = CompiledPolicy.from_text(
        PRIORITY, "p, 10, alice, /data, read, allow\np, 1, alice, /data, read, deny\n"
    )
    assert not policy.enforce("alice", "/data", "read")


def test_a_short_line_is_named_at_load() -> None:
    refused(MODEL, ROW + "p, alice, read\n", "rows.columns", 2)


def test_an_open_regex_also_matches_longer_paths() -> None:
    model = matcher("r.sub == p.sub && regexMatch(r.obj, p.obj) && r.act == p.act")
    refused(model, "p, alice, /waybill/1, read\n", "pattern.open", 1)
    compat = CompiledPolicy.from_text(model, "p, alice, /waybill/1, read\n", compat=True)
    assert compat.enforce("alice", "/waybill/1234567/export-all", "read")
    closed = CompiledPolicy.from_text(model, "p, alice, ^/waybill/1$, read\n")
    assert closed.enforce("alice", "/waybill/1", "read")
    assert not closed.enforce("alice", "/waybill/12", "read")
    assert not closed.enforce("alice", "/waybill/1\n", "read")


@pytest.mark.parametrize("path", ["/site/1/../2/x", "/site/1/./x", "/site/1//x", "/site/1/\\..\\2"])
def test_a_path_that_is_not_normal_is_denied(path: str) -> None:
    model = matcher("r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act")
    policy = CompiledPolicy.from_text(model, "p, alice, /site/1/*, read\n")
    assert policy.enforce("alice", "/site/1/x", "read")
    assert not policy.enforce("alice", path, "read")


@pytest.mark.parametrize("literal", ["a!b", "a&&b", "a||b", "r.sub", "a#b", "p.obj"])
def test_a_literal_is_kept_as_written(literal: str) -> None:
    policy = CompiledPolicy.from_text(matcher(f'r.sub == "{literal}" && r.obj == p.obj'), ROW)
    assert policy.enforce(literal, "/data", "read")
    assert not policy.enforce("a", "/data", "read")


@pytest.mark.parametrize("literal", ["a!b", "a&&b", "a||b", "r.sub", "p.obj", "eval(x)"])
def test_compat_refuses_a_literal_that_casbin_rewrites(literal: str) -> None:
    """As written it would allow `a!b`, which casbin compares with `anot b` and denies."""
    model = matcher(f'r.sub == p.sub && r.obj == "{literal}" && r.act == p.act')
    assert answer(stock(model, ROW), ("alice", literal, "read")) is not True
    conditions = matcher("r.sub == p.sub && eval(p.obj) && r.act == p.act")
    row = f'p, alice, r.obj == "{literal}", read\n'
    for texts, place in (((model, ROW), "model.conf:8:32"), ((conditions, row), "policy.csv:1:20")):
        with pytest.raises(PolicyErrors) as caught:
            CompiledPolicy.from_text(*texts, compat=True)
        (error,) = caught.value.errors
        assert (error.message.code, str(error.where)) == ("reading.rewritten", place)


@pytest.mark.parametrize("literal", ["a!=b", "bar.sub", "a&b", "step."])
def test_compat_reads_a_literal_that_casbin_leaves_alone(literal: str) -> None:
    model = matcher(f'r.sub == p.sub && r.obj == "{literal}" && r.act == p.act')
    assert answer(stock(model, ROW), ("alice", literal, "read")) is True
    assert CompiledPolicy.from_text(model, ROW, compat=True).enforce("alice", literal, "read")


def test_a_role_chain_of_any_depth_holds_and_compat_stops_where_casbin_does() -> None:
    links = "".join(f"g, n{i}, n{i + 1}\n" for i in range(30))
    policy = "p, n30, /data, read\np, n9, /near, read\np, n10, /far, read\n" + links
    assert CompiledPolicy.from_text(ROLES, policy).enforce("n0", "/data", "read")
    compat, oracle = CompiledPolicy.from_text(ROLES, policy, compat=True), stock(ROLES, policy)
    for start, path in itertools.product(("n0", "n1", "n21", "n20"), ("/data", "/near", "/far")):
        request = (start, path, "read")
        assert compat.enforce(*request) == answer(oracle, request)


def test_a_role_cycle_is_refused() -> None:
    refused(ROLES, ROW + "g, a, b\ng, b, a\n", "roles.cycle")


@pytest.mark.parametrize("condition", ["True", "True || r.sub.age > 9", "1", '"x"'])
def test_a_constant_in_a_row_condition(condition: str) -> None:
    model = matcher("eval(p.sub) && r.obj == p.obj && r.act == p.act")
    refused(model, f"p, {condition}, /data, read\n", "reading.constant", 1)


@pytest.mark.parametrize(
    "condition", ["r.sub.__class__ == 1", "r.who == 1", "open('x')", "p.sub(1)"]
)
def test_a_row_condition_that_reads_what_it_must_not(condition: str) -> None:
    model = matcher("eval(p.sub) && r.obj == p.obj && r.act == p.act")
    with pytest.raises(PolicyErrors):
        CompiledPolicy.from_text(model, f"p, {condition}, /data, read\n")


def test_a_number_is_not_a_text() -> None:
    policy = CompiledPolicy.from_text(MODEL, "p, 1, /data, read\n")
    with pytest.raises(InputError, match="must be a text, got int"):
        policy.enforce(1, "/data", "read")
    assert not CompiledPolicy.from_text(MODEL, "p, 1, /data, read\n", compat=True).enforce(
        1, "/data", "read"
    )


def test_unknown_names_leave_nothing_behind() -> None:
    policy = CompiledPolicy.from_text(ROLES, ROW + "g, bob, alice\n")
    tables = [len(table) for table in policy.snapshot.indexes["m"].reach.values()]
    for number in range(1000):
        assert not policy.enforce(f"nobody{number}", f"/x{number}", "read")
    assert tables == [len(table) for table in policy.snapshot.indexes["m"].reach.values()]


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a|a)*$",
        "^(.*a){20}$",
        "^.*a.*b.*c$",
        "^" + "a" * 600 + "$",
        r"^(a)\1$",
        "^(?:x+x+)+y$",
    ],
)
def test_a_pattern_made_to_be_slow_is_refused_at_load(pattern: str) -> None:
    model = matcher("r.sub == p.sub && regexMatch(r.obj, p.obj) && r.act == p.act")
    refused(model, f"p, alice, {pattern}, read\n", "pattern.slow", 1)


def test_a_pattern_that_the_request_brings_is_refused() -> None:
    refused(matcher("regexMatch(p.obj, r.obj)"), ROW, "reading.pattern")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(PolicyErrors):
        CompiledPolicy.from_text(matcher("(" * 100 + "r.sub == p.sub" + ")" * 100), ROW)


def test_a_clock_in_the_matcher_is_refused_by_name() -> None:
    refused(matcher('timeMatch("_", p.obj)'), ROW, "reading.clock")


def test_all_findings_come_at_once() -> None:
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_text(WITH_EFT, "p, a, b, c, Deny\npp, a, b\np, a, b\n")
    assert [error.where.line for error in caught.value.errors if error.where] == [1, 2, 3]


def test_a_missing_attribute_denies_with_a_reason() -> None:
    policy = CompiledPolicy.from_text(matcher("r.sub == r.obj.Owner"), ROW)
    decision = policy.decide("alice", {"owner": "alice"}, "read")
    assert not decision.allowed
    assert decision.reason.code == "compiled.doubt"
    assert policy.enforce("alice", {"Owner": "alice"}, "read")


def test_a_decision_names_its_row_and_version() -> None:
    policy = CompiledPolicy.from_text(MODEL, "# first\n" + ROW)
    decision = policy.decide("alice", "/data", "read")
    assert decision.rules == ("policy.csv:2",)
    assert decision.version == policy.version
    assert not policy.decide("bob", "/data", "read").allowed


def test_a_hidden_segment_is_denied_where_the_two_casbins_differ() -> None:
    """casbin 1.43 says that /a/* matches /a/.x, pycasbin 2.8 that it does not: we deny."""
    model = matcher("r.sub == p.sub && globMatch(r.obj, p.obj) && r.act == p.act")
    policy = CompiledPolicy.from_text(model, "p, alice, /a/*, read\n")
    assert policy.enforce("alice", "/a/x", "read")
    assert policy.decide("alice", "/a/.x", "read").reason.code == "compiled.doubt"
    rest = model.replace("some(where (p.eft == allow))", "!some(where (p.eft == deny))")
    rest = rest.replace("p = sub, obj, act", "p = sub, obj, act, eft")
    deny = CompiledPolicy.from_text(rest, "p, alice, /a/*, read, deny\n")
    assert not deny.enforce("alice", "/a/.x", "read")


# A warning to Python, which casbin's users do not see: with it the tests would take it to raise.
@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@pytest.mark.parametrize(
    ("pattern", "path"),
    [(r"^/a\.b$", "/axb"), (r"^/a\.b$", "/a.b"), (r"^/\d+$", "/dd"), (r"^/\d+$", "/12")],
)
def test_a_backslash_in_a_matcher_is_casbin_s(pattern: str, path: str) -> None:
    """Once `\\.` was read as `.`, which let a pattern match what casbin does not."""
    model = matcher(f'r.sub == p.sub && regexMatch(r.obj, "{pattern}") && r.act == p.act')
    policy = CompiledPolicy.from_text(model, ROW)
    assert policy.enforce("alice", path, "read") == answer(
        stock(model, ROW), ("alice", path, "read")
    )


@pytest.mark.parametrize("pair", [r"\b", r"\n", r"\x41", r"\u0041", r"\101", r"\N{DIGIT ONE}"])
def test_a_backslash_that_is_another_character_to_casbin(pair: str) -> None:
    model = matcher(f'r.sub == p.sub && r.obj == "{pair}" && r.act == p.act')
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_text(model, ROW, compat=True)
    assert [one.message.code for one in caught.value.errors] == ["expression.escape"]
    place = caught.value.errors[0].where
    assert place is not None
    assert model.splitlines()[place.line - 1][place.column - 1] == "\\"


@pytest.mark.parametrize("character", "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
@pytest.mark.parametrize("compat", [False, True])
def test_a_row_behind_a_comment_is_no_row(character: str, compat: bool) -> None:
    """Once `splitlines` made a row of it, which casbin and every reviewer read as a comment."""
    smuggled = f"{ROW}# a note{character}p, eve, /data, read\n"
    assert answer(stock(MODEL, smuggled), ("eve", "/data", "read")) is False
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_text(MODEL, smuggled, compat=compat)
    assert caught.value.errors[0].message.code == "lines.hidden"
    assert str(caught.value.errors[0].where) == "policy.csv:2:9"
    refused(MODEL + f"# a note{character}x\n", ROW, "lines.hidden", 9)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_as_on_any_system(end: str) -> None:
    texts = (MODEL.replace("\n", end), (ROW + "\n" + ROW.strip()).replace("\n", end))
    assert CompiledPolicy.from_text(*texts).enforce("alice", "/data", "read")


def test_a_byte_order_mark_hides_the_first_row_from_casbin(tmp_path: Path) -> None:
    (tmp_path / "model.conf").write_text(MODEL, encoding="utf-8")
    (tmp_path / "policy.csv").write_text(ROW, encoding="utf-8-sig")
    with pytest.raises(PolicyErrors) as caught:
        CompiledPolicy.from_files(tmp_path / "model.conf", tmp_path / "policy.csv", compat=True)
    assert caught.value.errors[0].message.code == "lines.byte-order-mark"


@pytest.mark.parametrize("function", ["keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5"])
def test_a_path_pattern_of_several_parts_is_open_at_the_end(function: str) -> None:
    """Once a deny row for `/a|/b` let `/a/secret` pass, which casbin's `^/a|/b$` forbids."""
    model = matcher(f"r.sub == p.sub && {function}(r.obj, p.obj) && r.act == p.act", WITH_EFT)
    rows = "p, alice, /*, read, allow\np, alice, /a|/b, read, deny\n"
    refused(model, rows, "pattern.alternative", 2)
    compat, oracle = CompiledPolicy.from_text(model, rows, compat=True), stock(model, rows)
    for path in ("/a", "/a/secret", "/b", "/b/x", "/x/b", "/c"):
        request = ("alice", path, "read")
        assert compat.enforce(*request) == answer(oracle, request), path


@pytest.mark.parametrize("condition", ["own(r.obj)", "r.obj < 5", "r.obj.size > 5"])
def test_what_raises_while_deciding_denies(condition: str) -> None:
    """A function of the embedder's, a comparison of two kinds, a property: any doubt denies."""

    class Raising:
        @property
        def size(self) -> int:
            raise OSError

    def own(_: object) -> bool:
        raise OSError

    model = matcher(f"r.sub == p.sub && {condition} && r.act == p.act")
    policy = CompiledPolicy.from_text(model, ROW, functions={"own": own})
    assert not policy.enforce("alice", Raising(), "read")
    assert not policy.decide("alice", Raising(), "read").allowed
