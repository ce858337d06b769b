"""Questions to the log about people, by those who may."""

from collections.abc import Iterable
from itertools import islice

from acl_engine.domain.accountability import AuditEntry
from acl_engine.web.api import bodies
from acl_engine.web.api.session import Asking

# The longest answer to a question to the log.
MOST_RECORDS = 500


def who_saw(asking: Asking, body: bodies.WhoSaw) -> bodies.Records:
    report = asking.access.inquiry(asking.token).who_saw(body.subject)
    return _records(one.entry for one in (*report.shown, *report.refused))


def of_account(asking: Asking, body: bodies.OfAccount) -> bodies.Records:
    saw = asking.access.inquiry(asking.token).of_account(body.account, body.since, body.until)
    return _records(saw.entries)


def read_mark(asking: Asking, body: bodies.Mark) -> bodies.Records:
    marked = asking.access.inquiry(asking.token).marked(body.mark)
    return _records(one.entry for one in (*marked.own, *marked.around))


def _records(entries: Iterable[AuditEntry]) -> bodies.Records:
    found = list(islice(entries, MOST_RECORDS + 1))
    return bodies.Records(
        records=[_record(one) for one in found[:MOST_RECORDS]], more=len(found) > MOST_RECORDS
    )


def _record(one: AuditEntry) -> bodies.Record:
    return bodies.Record(
        request=one.request,
        at=one.at,
        kind=one.kind,
        action=one.action,
        resource=one.resource,
        account=one.account,
        person=one.person,
        role=one.role,
        unit=one.unit,
        device=one.device,
        effect=one.effect,
        line=one.line,
        reason=one.reason,
        rule=one.rule,
        purpose=one.purpose,
        fields=list(one.fields),
        count=one.count,
    )
