"""Words for the codes that stand in a case: people read what was asked for, not how it is spelt."""

from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Message, Text

KINDS = {
    "look": Text("scanner.kind-look", "查看", "a look"),
    "export": Text("scanner.kind-export", "导出", "an export"),
    "publish": Text("scanner.kind-publish", "公示", "a publication"),
    "judicial": Text("scanner.kind-judicial", "司法协查", "a judicial request"),
    "identify": Text("scanner.kind-identify", "查明身份", "finding out who it is"),
}


def worded(pack: Pack, field: str, code: str) -> str | Message:
    """The words for a case's field; the code itself where it is none, or none that is known."""
    if field == "kind" and code in KINDS:
        return KINDS[code].of()
    approvals = pack.settings.approvals
    spec = approvals.purposes.get(code) if approvals and field == "purpose" else None
    # A pack's words are no template.
    return Text("scanner.purpose", "{zh}", "{en}").of(zh=spec.zh, en=spec.en) if spec else code
