"""Step 9 of the lookup line: a record and its obligations become what leaves the engine."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from acl_engine.domain.decision import Decision, Show
from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Value
from acl_engine.domain.pack import Kind, ResourceSpec
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.text import Text
from acl_engine.masking import address
from acl_engine.masking.mask import mask

# The attribute that says in which city a record's people are.
CITY = "city"

REFUSED = Text(
    "mask-without-allow",
    "拒绝的决定不能产生视图",
    "a denial shows nothing",
    "只为允许的决定调用",
    "call it for a decision that allows",
)
WRONG_TYPE = Text(
    "mask-wrong-resource",
    "记录类型 `{record}` 与目录 `{resource}` 不符",
    "a record of type `{record}` against the catalogue of `{resource}`",
    "检查资源目录",
    "check the catalogue",
)
UNDECLARED = Text(
    "mask-undeclared-field",
    "授权字段 `{field}` 未在目录中声明",
    "granted field `{field}` is not in the catalogue",
    "在 resources.yaml 中声明",
    "declare it in resources.yaml",
)


def view(
    record: PersonalRecord,
    decision: Decision,
    resource: ResourceSpec,
    fields: Collection[str] = (),
) -> Mapping[str, str]:
    """What the decision shows of the record, field by field, in the catalogue's order.

    `fields` asks for fewer; empty asks for all that is granted. A field that is not granted, is
    hidden, or has no value is left out. Raises InputError when the decision is a denial, or the
    record or a grant does not fit the catalogue: in doubt nothing is shown.
    """
    if not decision.allowed:
        raise InputError(REFUSED.of())
    if record.type != resource.type:
        raise InputError(WRONG_TYPE.of(record=record.type, resource=resource.type))
    for name in decision.grants:
        if name not in resource.fields:
            raise InputError(UNDECLARED.of(field=name))
    shown: dict[str, str] = {}
    for name, spec in resource.fields.items():
        grant = decision.grants.get(name)
        value = record.fields.get(name)
        if grant is None or grant.show is Show.HIDDEN or value is None:
            continue
        if fields and name not in fields:
            continue
        if grant.show is Show.CLEAR:
            shown[name] = value
        else:
            cities = _cities(record, resource) if spec.kind is Kind.PHONE else ()
            shown[name] = mask(spec.kind, value, grant.profiles, cities)
    return MappingProxyType(shown)


def _cities(record: PersonalRecord, resource: ResourceSpec) -> frozenset[str]:
    """Every city that the record names; '' for an address that names none."""
    named = {record.attributes.get(CITY)} if CITY in resource.attributes else set()
    for name, spec in resource.fields.items():
        if spec.kind is Kind.ADDRESS and name in record.fields:
            named.add(address.city(record.fields[name]))
    cities = frozenset(one for one in named if isinstance(one, str) and one)
    return cities or frozenset({""} if named else ())


def shown(
    attributes: Mapping[str, Value],
    values: Mapping[str, str],
    decision: Decision,
    resource: ResourceSpec,
) -> Mapping[str, str]:
    """Like `view`, of a record of an application's own: its policy facts and its clear values."""
    return view(PersonalRecord(resource.type, "", attributes, values), decision, resource)
