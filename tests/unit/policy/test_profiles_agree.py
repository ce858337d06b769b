"""The checker's list of mask profiles is the masking room's, which policy may not import."""

from acl_engine.masking.profiles import PROFILES as MASKING
from acl_engine.policy.pack_row_checks import PROFILES


def test_same_profiles() -> None:
    """A profile that masking does not have would be refused only at step 9."""
    assert frozenset(MASKING) == PROFILES
