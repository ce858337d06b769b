"""Laws of masking: idempotent, monotone, nested; and a second implementation that agrees."""

from itertools import combinations
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from acl_engine.analysis.mask_reach import Seen, reach
from acl_engine.domain.pack import Kind, Pack
from acl_engine.masking.mask import mask, parse, shown
from acl_engine.masking.profiles import PROFILES
from acl_engine.masking.segments import by_city
from acl_engine.masking.shape import ALL_HIDDEN, clean
from acl_engine.masking.strength import Known, candidates
from acl_engine.masking.surnames import COMPOUND, SHARE
from acl_engine.policy.pack import load_pack

SOUND = [one for one in PROFILES.values() if one.flag is None]

digits = st.text("0123456789", min_size=9, max_size=9)
mobiles = st.builds(lambda a, d: f"1{a}{d}", st.sampled_from("3456789"), digits)
han = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
names = st.one_of(
    st.text(han, min_size=2, max_size=4),
    st.builds(str.__add__, st.sampled_from(sorted(COMPOUND)), st.text(han, min_size=1, max_size=2)),
)
ids = st.from_regex(r"[1-8][0-9]{5}(19|20)[0-9]{9}[0-9X]", fullmatch=True)
pieces = st.sampled_from(
    "深圳市 广东省 宝安区 西乡街道 新安 臣田花园 新村 3栋 1203 张三 室 市 区 路 街 号 一 北京 "
    "A座 - 镇 · 超市 社区 电话 19012345678 0755- 转 +86 * *** "
    "有限公司 欧阳 老王 小区 放门口 ( ) , 粤B X 十二栋 收".split()
)
messy = st.one_of(st.text(max_size=30), st.lists(pieces, max_size=8).map("".join))
kinds = st.sampled_from(list(Kind))


@given(kinds, messy, st.lists(st.sampled_from(list(PROFILES)), max_size=3))
def test_masking_twice_is_masking_once(kind: Kind, value: str, profiles: list[str]) -> None:
    once = mask(kind, value, profiles)
    assert mask(kind, once, profiles) == once


@given(kinds, messy)
def test_the_views_of_sound_profiles_nest(kind: Kind, value: str) -> None:
    """The join of any two of them is one of them: no two views give more than the wider."""
    shape = parse(kind, clean(value))
    if shape is None:
        return
    for one, other in combinations(SOUND, 2):
        first, second = shown(kind, shape, one), shown(kind, shape, other)
        assert first <= second or second <= first


@given(kinds, messy)
def test_a_masked_value_keeps_no_character_that_its_profile_does_not_show(
    kind: Kind, value: str
) -> None:
    text = clean(value)
    shape = parse(kind, text)
    for name, profile in PROFILES.items():
        masked = mask(kind, value, [name])
        if shape is None or not shown(kind, shape, profile):
            assert kind is Kind.PLAIN or masked == ALL_HIDDEN
            continue
        kept = shown(kind, shape, profile) | shape.structure
        left = len(masked) if shape.tail else len(shape.text)
        for at in range(left):
            if at not in kept and at < len(masked):
                assert masked[at] == "*"


@given(mobiles)
def test_mobile_views_against_a_second_implementation(number: str) -> None:
    stars = list("*" * len(number))
    for count, name in ((2, "label-gbt41833"), (2, "screen-strict"), (4, "pickup")):
        expected = stars.copy()
        for back in range(1, count + 1):
            expected[-back] = number[-back]
        assert mask(Kind.PHONE, number, [name]) == "".join(expected)
    expected = [c if i < 3 or i > 6 else "*" for i, c in enumerate(number)]
    assert mask(Kind.PHONE, number, ["legacy-3-4"]) == "".join(expected)


@given(names)
def test_name_views_against_a_second_implementation(name: str) -> None:
    surname = 2 if len(name) >= 3 and any(name.startswith(one) for one in COMPOUND) else 1
    out = ""
    for at, character in enumerate(name):
        out += character if at < surname else "*"
    if not parse(Kind.NAME, name) or parse(Kind.NAME, name).form != "han":  # type: ignore[union-attr]
        return  # `某公司` is a company
    assert mask(Kind.NAME, name, ["screen-strict"]) == out
    last = name[-1] if len(name) - surname > 1 else "*"
    assert mask(Kind.NAME, name, ["spp-2022-case8"]) == out[:-1] + last


@given(ids)
def test_id_views_against_a_second_implementation(number: str) -> None:
    out = [c if i not in range(6, 14) else "*" for i, c in enumerate(number)]
    assert mask(Kind.ID_NUMBER, number, ["spp-2022-case8"]) == "".join(out)
    assert mask(Kind.ID_NUMBER, number, ["housing-strict"]) == number[:6] + 12 * "*"


@given(mobiles, st.text(han, max_size=4), st.text(han, max_size=4))
def test_no_remark_lets_a_phone_number_through(number: str, before: str, after: str) -> None:
    for written in (number, " ".join(number), f"{number[:3]}-{number[3:7]}-{number[7:]}"):
        masked = mask(Kind.FREE_TEXT, before + written + after, ["screen-strict"])
        assert not any(c in "0123456789" for c in masked)


# --- a stricter profile never shows more; a reachable join is within its minimum ----------------

ROOT = Path(__file__).parents[2]


@given(kinds, messy, st.sampled_from(sorted(PROFILES)), st.sampled_from(sorted(PROFILES)))
def test_a_stricter_profile_never_shows_more(kind: Kind, value: str, one: str, other: str) -> None:
    """Whenever one profile's positions are some of another's, so is every character it shows."""
    shape = parse(kind, clean(value))
    if shape is None:
        assert kind is Kind.PLAIN or mask(kind, value, [one]) == ALL_HIDDEN
        return
    narrow, wide = (shown(kind, shape, PROFILES[name]) for name in (one, other))
    if not narrow <= wide:
        return
    less, more = mask(kind, value, [one]), mask(kind, value, [other])
    if less == ALL_HIDDEN or more == ALL_HIDDEN:
        assert (
            not narrow - shape.structure
            or less == more
            or all(shape.text[at] == "*" for at in narrow - shape.structure)
        )
        return
    for at, character in enumerate(less):
        assert character in ("*", more[at] if at < len(more) else "*")


def _reached() -> list[tuple[Pack, tuple[str, ...], tuple[Seen, ...]]]:
    """Every role and every named coalition of every pack that is not for replay alone."""
    found = []
    for folder in sorted((ROOT / "policies").glob("*/*")):
        if not (folder / "policy.csv").exists():
            continue
        pack = load_pack(folder)
        if pack.settings.replay_only:
            continue
        groups = [(role,) for role in pack.roles] + list(pack.settings.masking.coalitions)
        for who in groups:
            masked = tuple(one for one in reach(pack, who) if one.how != "clear")
            if masked:
                found.append((pack, who, masked))
    return found


REACHED = _reached()
SEGMENTS = dict(by_city())


@settings(deadline=None)
@given(
    st.sampled_from(REACHED),
    st.sampled_from(sorted(SEGMENTS)),
    st.integers(0, 10**9),
    st.text("0123456789", min_size=4, max_size=4),
    st.sampled_from(sorted(SHARE)),
    st.text(han, min_size=1, max_size=2),
)
def test_the_join_of_any_reachable_views_is_within_the_minimum(
    reached: tuple[Pack, tuple[str, ...], tuple[Seen, ...]],
    city: str,
    pick: int,
    tail: str,
    surname: str,
    given_name: str,
) -> None:
    """Real segments, real cities: what the views show of one person is joined and counted."""
    pack, who, seen = reached
    values = {
        Kind.PHONE: f"{SEGMENTS[city][pick % len(SEGMENTS[city])]}{tail}",
        Kind.NAME: surname + given_name,
        Kind.ID_NUMBER: "440306" + "19990101" + tail[:3] + "X",
    }
    for kind, value in values.items():
        views = [mask(kind, value, [one.how], [city]) for one in seen if one.kind is kind]
        least = pack.settings.masking.minimum.get(kind, 1)
        if views:
            assert candidates(kind, views, known=Known(city)) >= least, (who, kind)
