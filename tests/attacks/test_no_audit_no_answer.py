"""No answer without its durable audit record: a store that fails, a full disk, a file-size limit.

What `tests/integration/test_audit_crashes.py` shows of the log, here of the whole line: whoever
got an answer is in the log that is found afterwards. Killed processes: `test_killed_while_looking`.
"""

import resource
from pathlib import Path

import pytest
from tests.line_world import Line, line_over

from acl_engine.domain.errors import AuditUnavailable, StoreError
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database


def test_an_outcome_that_cannot_be_written_is_no_answer(line: Line) -> None:
    """The second record counts as much as the first: what was fetched and masked is dropped."""
    token = line.token("courier-88", "pda-88")
    real, written = line.engine._door.audit, list[str]()

    class Full:
        def append(self, entry: object, part: object) -> object:
            written.append(entry.kind)  # type: ignore[attr-defined]
            if len(written) > 1:
                raise OSError(28, "No space left on device")
            return real.append(entry, part)  # type: ignore[arg-type]

    line.lie("audit", lambda _: Full())
    with pytest.raises(AuditUnavailable):
        line.engine.ask(token, line.read("load-1"))
    assert written[:2] == ["intent", "outcome"]


def test_a_full_disk(line_template: tuple[Database, Truth], tmp_path: Path) -> None:
    """Looks go on until the file may not grow; then none is answered, and none was lost."""
    database, truth = line_template[0].clone_to_file(tmp_path / "line.db"), line_template[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    answered: list[str] = []
    with line_on_disk(database, truth) as line:
        token = line.token("courier-88", "pda-88")
        size = max(file.stat().st_size for file in tmp_path.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, hard))
        try:
            with pytest.raises(StoreError):
                for _ in range(400):
                    answered.append(line.engine.ask(token, line.read("load-1")).request_id)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert answered
        kept = {entry.request for one in answered for entry in line.entries(one)}
        assert kept == set(answered)


def line_on_disk(database: Database, truth: object):  # type: ignore[no-untyped-def]
    """The line over the file itself, not a copy in memory."""
    database.clone_to_memory = lambda: database  # type: ignore[method-assign]
    return line_over(database, truth)  # type: ignore[arg-type]
