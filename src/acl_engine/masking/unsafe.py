"""UNSAFE: masking switched off. Replay alone may import this, and only in a synthetic world.

It is what the company of 2020 did: whoever may see a field sees it in clear. Replay needs it to
prove that a leak comes back when the control `field-masking` is taken away.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from acl_engine.domain.decision import Decision, Show
from acl_engine.domain.pack import ResourceSpec
from acl_engine.domain.personal import PersonalRecord


def unmasked_view(
    record: PersonalRecord,
    decision: Decision,
    resource: ResourceSpec,
    fields: Collection[str] = (),
) -> Mapping[str, str]:
    """As `record.view`, with every masked field in clear; what is not granted stays hidden."""
    return MappingProxyType(
        {
            name: record.fields[name]
            for name in resource.fields
            if name in record.fields
            and name in decision.grants
            and decision.grants[name].show is not Show.HIDDEN
            and (not fields or name in fields)
        }
    )
