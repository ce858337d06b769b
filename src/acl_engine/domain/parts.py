"""Parts: changes that share a record's commit. Both are durable then, or neither is there.

A store makes a part, its caller hands it to the log with the record that tells of it, and the log
carries it out together with those of others who commit at the same moment.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Part(Generic[Job, Result]):
    """One change. `act` is its store's: it carries out many parts of one kind in the transaction
    that it is given, and leaves in each what came of it, `done`, or why not, `refused`; the record
    of a part that was refused is not written. It may be called again for the same parts, where a
    transaction did not come about, and changes nothing but the database and them.

    `locks`: names of what nobody else may change meanwhile. `after`: what is left to do once the
    transaction is over, on the thread of whoever asked.
    """

    job: Job
    act: Callable[[Any, "Sequence[Part[Job, Result]]"], None]
    locks: Collection[str] = ()
    done: Result | None = None
    refused: Exception | None = None
    after: Callable[[], object] | None = None

    def result(self) -> Result:
        """What came of it, once its transaction is over. Raises why it was refused."""
        if self.after is not None:
            after, self.after = self.after, None
            after()
        if self.refused is not None:
            raise self.refused
        if self.done is None:
            raise RuntimeError("nobody carried it out")
        return self.done


def nothing(result: Result) -> Part[Result, Result]:
    """A part that changes nothing, and is done."""
    return Part(result, _nothing, done=result)


def _nothing(cx: Any, parts: Sequence[Part[Any, Any]]) -> None:
    return None
