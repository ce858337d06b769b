"""Detection rules: each of the seven finds its pattern, and honest work seldom sets one off."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from acl_engine.audit.detector import Detector
from acl_engine.audit.event import Event
from acl_engine.audit.matching import compiled
from acl_engine.audit.sigma import CorrelationRule, EventRule
from acl_engine.bootstrap.watch import detector
from acl_engine.domain.alarm import Alert
from acl_engine.domain.errors import AclError, InputError
from acl_engine.policy import strict_yaml
from acl_engine.replay.world.month import DAY, HOUR, MINUTE, START, Month

RULES = Path(__file__).parents[3] / "policies" / "courier" / "detection"
NOW = START + 20 * DAY + 12 * HOUR


def watching() -> Detector:
    return detector(RULES)[0]


def alerts(events: Iterable[Event], *, until: int = 0) -> list[Alert]:
    """What the shipped rules say of these events, numbered from 0 on."""
    found, rules = [], watching()
    for index, event in enumerate(events):
        found += rules.feed(index, event)
    return found + (rules.finish(until) if until else [])


def names(found: Iterable[Alert]) -> list[str]:
    return [alert.rule for alert in found]


def event(at: int, action: str = "read", kind: str = "intent", **more: object) -> Event:
    fields = {"account": "c1-1", "role": "courier", "unit": "b1", "device": "pda-1",
              "effect": "allow", "subjects": ("w1",), "areas": ("b1.a1",), "block": "k1",
              "on_shift": True, "count": 1}  # fmt: skip
    return Event(kind=kind, at=at, action=action, **(fields | more))  # type: ignore[arg-type]


def login(at: int, account: str, device: str, effect: str = "deny") -> Event:
    return event(at, "login", "event", account=account, device=device, effect=effect, subjects=())


# --- each pattern, and the same deed done honestly ---------------------------------------------


def test_many_accounts_on_one_device() -> None:
    """Passwords of three accounts tried on one scanner, refused ones too; two are a mix-up."""
    tries = [login(NOW + n * MINUTE, f"c{n}", "pda-stolen") for n in range(3)]
    found = alerts(tries)
    assert names(found) == ["device-of-many"]
    assert found[0].response == "freeze"
    assert (found[0].accounts, found[0].devices) == (("c0", "c1", "c2"), ("pda-stolen",))
    assert found[0].evidence == (0, 1, 2)
    assert not alerts(tries[:2])
    assert not alerts(login(NOW + n * 20 * HOUR, f"c{n}", "pda-1") for n in range(3))


def test_one_account_on_many_devices() -> None:
    """A rented account is used on three devices in a day."""
    assert names(alerts(login(NOW + n * HOUR, "c1", f"pda-{n}", "allow") for n in range(3))) == [
        "account-on-many-devices"
    ]
    assert not alerts(login(NOW + n * HOUR, "c1", "pda-1", "allow") for n in range(9))


def test_off_shift() -> None:
    """Ten requests in an hour outside of the shift; the last two stops of the day are none."""
    night = [event(NOW + n * MINUTE, on_shift=False, effect="deny") for n in range(10)]
    assert names(alerts(night)) == ["off-shift"]
    assert not alerts(night[:3])
    assert not alerts(event(one.at, on_shift=None) for one in night)  # nobody asked: no shifts here


def test_sequential_numbers() -> None:
    """Eight neighbours in ten minutes, though every one of them is refused."""
    tries = [event(NOW + n * 5_000, effect="deny", subjects=(f"w{n}",), areas=()) for n in range(8)]
    found = alerts(tries)
    assert names(found) == ["sequential-numbers"]
    assert found[0].count == 8
    again = [event(one.at, subjects=("w0",)) for one in tries]
    assert not alerts(again)  # the same number eight times is no sequence
    apart = [event(one.at, subjects=one.subjects, block=f"k{n}") for n, one in enumerate(tries)]
    assert not alerts(apart)


def test_reverse_lookup_then_the_waybill_elsewhere() -> None:
    """Bao'an: found by phone on the manager's PC, opened on a scanner; in this order only."""
    found_here = event(NOW, "reverse_lookup", "outcome", role="branch_mgr", device="pc-22")
    there = event(NOW + HOUR, "read", "outcome", device="pda-stolen")
    alert = alerts([found_here, there])
    assert names(alert) == ["reverse-then-elsewhere"]
    assert (alert[0].level, alert[0].evidence) == ("critical", (0, 1))
    same = event(NOW + HOUR, "read", "outcome", device="pc-22")
    late = event(NOW + 3 * HOUR, "read", "outcome", device="pda-stolen")
    earlier = event(NOW - HOUR, "read", "outcome", device="pda-stolen")
    for honest in ([found_here, same], [found_here, late], [earlier, found_here]):
        assert not alerts(honest)


def test_an_area_that_is_new_to_account_and_unit() -> None:
    """After a week at home, five parcels of another branch's area; a relief round is not new."""
    home = [event(NOW + day * DAY, subjects=(f"h{day}",)) for day in range(7)]
    colleague = [event(NOW + day * DAY, account="c1-2", areas=("b1.a2",), subjects=(f"o{day}",))
                 for day in range(7)]  # fmt: skip
    before = [one for pair in zip(home, colleague, strict=True) for one in pair]
    day8 = NOW + 8 * DAY
    strange = [event(day8 + n, areas=("b9.a3",), subjects=(f"x{n}",), effect="deny")
               for n in range(5)]  # fmt: skip
    found = alerts([*before, *strange])
    assert names(found) == ["first-time-area"]
    assert found[0].response == "step-up"
    assert found[0].evidence == tuple(range(14, 19))
    relief = [event(day8 + n, areas=("b1.a2",), subjects=(f"x{n}",), block=f"k{n}")
              for n in range(60)]  # fmt: skip
    assert not alerts([*before, *relief])
    assert not alerts(strange)  # a first day at work is new altogether


def test_looks_that_no_scan_follows() -> None:
    """Ten looks on which nobody did any work; one scan for each and nothing is said."""
    looks = [event(NOW + n * MINUTE, "read", "outcome", subjects=(f"w{n}",)) for n in range(10)]
    found = alerts(looks, until=NOW + 3 * DAY)
    assert names(found) == ["look-without-scan"]
    assert found[0].evidence == tuple(range(10))
    assert not alerts(looks, until=NOW + DAY)  # it may still come
    scans = [event(one.at + HOUR, "deliver", "scan", subjects=one.subjects) for one in looks]
    worked = sorted([*looks, *scans], key=lambda one: one.at)
    assert not alerts(worked, until=NOW + 9 * DAY)
    before = sorted([*looks, *(event(one.at - DAY, "in", "scan", subjects=one.subjects)
                               for one in looks)], key=lambda one: one.at)  # fmt: skip
    assert not alerts(before, until=NOW + 9 * DAY)


def test_one_deed_is_one_alert_and_history_repeats_itself() -> None:
    """A rule that fired starts from nothing; the same events give the same alerts and ids."""
    tries = [login(NOW + n * MINUTE, f"c{n}", "pda-stolen") for n in range(6)]
    found = alerts(tries)
    assert names(found) == ["device-of-many", "device-of-many"]
    assert found == alerts(tries)
    assert len({alert.id for alert in found}) == 2


# --- the false alarms --------------------------------------------------------------------------


def test_honest_work_seldom_sets_off_an_alarm() -> None:
    """Ten days of a small company: fewer than one alert for each fifty account-days."""
    month, rules, found = Month("test", branches=3, couriers=8, days=10), watching(), list[Alert]()
    last = 0
    for index, honest in month.events():
        found += rules.feed(index, honest)
        last = honest.at
    found += rules.finish(last)
    assert len(found) <= month.account_days / 50, Counter(names(found))


def test_attacks_stand_out_of_honest_work() -> None:
    """Each pattern, hidden in ten days of honest work, is found with the culprit's name."""
    honest = [one for _, one in Month("hidden", branches=3, couriers=8, days=10).events()]
    begins = START + 8 * DAY + 13 * HOUR
    thief = {"account": "c1-3", "role": "courier", "unit": "b1", "device": "pda-c1-3"}
    attacks = {
        "look-without-scan": [event(begins + n * MINUTE, "read", "outcome", subjects=(f"s{n}",),
                                    areas=("b1.a3",), **thief) for n in range(12)],
        "first-time-area": [event(begins + n, subjects=(f"f{n}",), areas=("b2.a5",),
                                  effect="deny", block=f"f{n}", **thief) for n in range(6)],
        "off-shift": [event(begins + 9 * HOUR + n * MINUTE, on_shift=False, subjects=(f"o{n}",),
                            areas=("b1.a3",), block=f"o{n}", **thief) for n in range(10)],
        "sequential-numbers": [event(begins + n * MINUTE, subjects=(f"q{n}",), areas=(),
                                     effect="deny", block="kq", **thief) for n in range(9)],
        "nobody-in-force": [event(begins, "account.without-administrator", account="c1-3")],
        "account-on-many-devices": [login(begins + n, "c1-3", f"rented-{n}") for n in range(3)],
        "device-of-many": [login(begins + n, f"c1-{n}", "stolen") for n in range(3)],
        "reverse-then-elsewhere": [
            event(begins, "reverse_lookup", "outcome", account="m1", role="branch_mgr",
                  device="pc-m1", subjects=("v",)),
            event(begins + HOUR, "read", "outcome", subjects=("v",), **thief)],
    }  # fmt: skip
    assert set(attacks) == {path.stem for path in RULES.glob("*.yaml")}
    hidden = [*honest, *(one for deeds in attacks.values() for one in deeds)]
    found = alerts(sorted(hidden, key=lambda one: one.at), until=begins + 5 * DAY)
    for rule in attacks:
        mine = [one for one in found if one.rule == rule]
        assert any("c1-3" in one.accounts or "c1-2" in one.accounts for one in mine), rule


# --- the rules as files ------------------------------------------------------------------------


def test_pysigma_reads_the_same_rules() -> None:
    """The independent reader of the format takes every file, and finds the same references."""
    collection = pytest.importorskip("sigma.collection", reason="pip install pysigma")
    files = [*RULES.glob("events/*.yaml"), *RULES.glob("*.yaml")]
    texts = "\n---\n".join(path.read_text("utf-8") for path in files)
    found = collection.SigmaCollection.from_yaml(texts)
    found.resolve_rule_references()
    assert not found.errors
    assert len(found.rules) == len(files)
    correlations = {rule.name: rule for rule in found.rules if hasattr(rule, "type")}
    for path in RULES.glob("*.yaml"):
        ours = strict_yaml.read(path, CorrelationRule)
        theirs = correlations[ours.name]
        assert theirs.type.name.lower() == ours.correlation.type
        assert tuple(one.reference for one in theirs.rules) == ours.correlation.rules
        assert tuple(theirs.group_by) == ours.correlation.group_by


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("group-by: [account]", "group-by: [acount]", "acount"),
        ("timespan: 1d", "timespan: soon", "soon"),
        ("rules: [login]", "rules: [logout]", "logout"),
        ("type: value_count", "type: value_sum", "value_sum"),
        ("type: value_count", "type: event_count", "event_count"),
        ("response: freeze", "response: dismiss", "dismiss"),
        ("level: high", "level: high\nsurprise: true", "surprise"),
    ],
)
def test_rule_that_cannot_be_read_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    """A rule is read whole or not at all; the message says what is wrong."""
    (tmp_path / "events").mkdir()
    login_rule = (RULES / "events" / "login.yaml").read_text("utf-8")
    (tmp_path / "events" / "login.yaml").write_text(login_rule, "utf-8")
    rule = (RULES / "account-on-many-devices.yaml").read_text("utf-8")
    assert old in rule
    (tmp_path / "rule.yaml").write_text(rule.replace(old, new), "utf-8")
    with pytest.raises(InputError) as refused:
        detector(tmp_path)
    assert says in refused.value.render("en")


def test_folder_without_rules_is_refused(tmp_path: Path) -> None:
    """Nothing to watch with is a mistake, not a quiet day."""
    with pytest.raises(AclError, match="holds no detection rules"):
        detector(tmp_path)


@pytest.mark.parametrize(
    ("detection", "fits"),
    [
        ({"a": {"action": "login"}, "condition": "a"}, False),
        ({"a": {"action": "READ"}, "condition": "a"}, True),
        ({"a": {"action": ["login", "read"]}, "condition": "a"}, True),
        ({"a": {"action": "re*"}, "condition": "a"}, True),
        ({"a": {"action": "re?"}, "condition": "a"}, False),
        ({"a": {"role|contains": "uri"}, "condition": "a"}, True),
        ({"a": {"role|startswith": "uri"}, "condition": "a"}, False),
        ({"a": {"role|endswith": "rier"}, "condition": "a"}, True),
        ({"a": {"count|gte": 1}, "condition": "a"}, True),
        ({"a": {"count|gt": 1}, "condition": "a"}, False),
        ({"a": {"ticket": None}, "condition": "a"}, True),
        ({"a": {"ticket|exists": True}, "condition": "a"}, False),
        ({"a": {"on_shift": True}, "condition": "a"}, True),
        ({"a": {"count": True}, "condition": "a"}, False),  # one is not true
        ({"a": {"subject": "w1"}, "condition": "a"}, True),
        ({"a": {"role|contains|all": ["cou", "rier"]}, "condition": "a"}, True),
        ({"a": [{"action": "x"}, {"role": "courier"}], "condition": "a"}, True),
        ({"a": {"action": "read"}, "b": {"role": "x"}, "condition": "a and not b"}, True),
        ({"a": {"action": "x"}, "b": {"role": "x"}, "condition": "not (a or b)"}, True),
        ({"a": {"action": "x"}, "b": {"action": "read"}, "condition": "not a and b or a"}, True),
        ({"a1": {"action": "x"}, "a2": {"action": "read"}, "condition": "1 of a*"}, True),
        ({"a1": {"action": "x"}, "a2": {"action": "read"}, "condition": "all of them"}, False),
    ],
)
def test_searches_and_conditions(detection: dict[str, object], fits: bool) -> None:
    """What of Sigma is read, is read as Sigma means it."""
    test, _ = compiled("t", detection)
    assert test(event(NOW)) is fits


@pytest.mark.parametrize(
    "detection",
    [
        {"condition": "a"},
        {"a": {"action": "read"}},
        {"a": {"colour": "red"}, "condition": "a"},
        {"a": {"action|re": "x"}, "condition": "a"},
        {"a": {"action|base64": "x"}, "condition": "a"},
        {"a": {"count|gte": "many"}, "condition": "a"},
        {"a": ["read"], "condition": "a"},
        {"a": {"action": "read"}, "condition": "b"},
        {"a": {"action": "read"}, "condition": "(a"},
        {"a": {"action": "read"}, "condition": "a a"},
        {"a": {"action": "read"}, "condition": "a | count() > 3"},
        {"a": {"action": "read"}, "condition": "1 of b*"},
    ],
)
def test_what_is_not_read_is_refused_by_name(detection: dict[str, object]) -> None:
    """No construct of Sigma is skipped in silence."""
    with pytest.raises(InputError, match="`t`"):
        compiled("t", detection)


def test_every_rule_speaks_both_languages_and_is_referred_to() -> None:
    """Each event rule serves a correlation; ids are unique."""
    events = [strict_yaml.read(path, EventRule) for path in RULES.glob("events/*.yaml")]
    rules = [strict_yaml.read(path, CorrelationRule) for path in RULES.glob("*.yaml")]
    used = {name for one in rules for name in one.correlation.rules}
    used |= {one.acl.unless.rule for one in rules if one.acl.unless}
    assert used == {one.name for one in events}
    assert len({one.id for one in (*events, *rules)}) == len(events) + len(rules)
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in one.acl.zh) for one in rules)
