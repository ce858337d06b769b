"""Knowledge only grows, whatever is seen and whoever tells it on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from acl_engine.domain.pack import Kind
from acl_engine.replay.knowledge import Fact, Mind

TRUTH = "19010131234"
PHONE = Fact("SN1", "recipient_phone")
KINDS = {"recipient_phone": Kind.PHONE}
VIEWS = st.sampled_from(
    ["*********34", "*******1234", "190****1234", "***********", TRUTH, "19999999999"]
)


def _mind() -> Mind:
    return Mind(kinds=KINDS)


@settings(max_examples=60, deadline=None)
@given(st.lists(VIEWS, max_size=8))
def test_candidates_only_shrink(views: list[str]) -> None:
    """No view, in any order, gives back what was narrowed down."""
    mind = _mind()
    left = None
    for view in views:
        mind.learn(PHONE, view, TRUTH, "深圳市")
        now = mind.left.get(PHONE)
        assert left is None or (now is not None and now <= left)
        left = now


@settings(max_examples=40, deadline=None)
@given(st.lists(VIEWS, max_size=6))
def test_only_the_truth_is_known(views: list[str]) -> None:
    """A number that is shown but is not theirs teaches nothing."""
    mind = _mind()
    for view in views:
        mind.learn(PHONE, view, TRUTH, "深圳市")
    assert mind.knows(PHONE) == (TRUTH in views)


@settings(max_examples=40, deadline=None)
@given(st.lists(VIEWS, max_size=4), st.lists(VIEWS, max_size=4))
def test_a_colluder_takes_nothing_away(mine: list[str], theirs: list[str]) -> None:
    """After a merge one knows at least what each knew alone."""
    one, other = _mind(), _mind()
    for mind, views in ((one, mine), (other, theirs)):
        for view in views:
            mind.learn(PHONE, view, TRUTH, "深圳市")
    alone = [mind.left[PHONE] for mind in (one, other) if PHONE in mind.left]
    one.merge(other)
    assert not alone or one.left[PHONE] <= min(alone)


def test_two_masks_of_two_colluders_join() -> None:
    """The first seven digits with one and the last four with another are the number."""
    one, other = _mind(), _mind()
    one.learn(PHONE, "1901013****", TRUTH, "深圳市")
    other.learn(PHONE, "*******1234", TRUTH, "深圳市")
    assert not one.knows(PHONE)
    assert not other.knows(PHONE)
    one.take(other, [PHONE])
    assert one.knows(PHONE)


def test_what_is_shown_but_untrue_teaches_nothing() -> None:
    """A mask of somebody else's number leaves the mind as it was."""
    mind = _mind()
    mind.learn(PHONE, "*******9999", TRUTH, "深圳市")
    assert PHONE not in mind.left
    assert PHONE not in mind.views
