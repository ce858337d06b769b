"""A raw HTTP request, through the Transport port: for what only exists on the wire.

What is asked counts as allowed when the answer has one of `yes.status` and, where it is given,
`yes.text` is found in its status, headers or body. `keep` takes values out of the answer for
later steps: `${http.NAME}`.
"""

import re

import msgspec

from acl_engine.replay.transport import Asked, Replied


class Yes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`text` is a regular expression."""

    status: tuple[int, ...] = (200, 201, 202, 204)
    text: str | None = None


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`path` with its query. `keep`: name -> a regular expression with one group."""

    method: str
    path: str
    headers: dict[str, str] = {}
    body: str = ""
    yes: Yes = Yes()
    keep: dict[str, str] = {}

    def texts(self) -> tuple[str, ...]:
        return self.path, self.body, *self.headers.values()

    def patterns(self) -> tuple[str, ...]:
        return *self.keep.values(), *((self.yes.text,) if self.yes.text else ())

    def asked(self, filled: tuple[str, ...]) -> Asked:
        """The request, with `texts()` as they were filled in."""
        path, body, *values = filled
        headers = tuple(zip(self.headers, values, strict=True))
        return Asked(self.method, path, headers, body.encode())

    def allowed(self, reply: Replied) -> bool:
        found = self.yes.text is None or re.search(self.yes.text, reply.text)
        return reply.status in self.yes.status and bool(found)

    def kept(self, reply: Replied) -> dict[str, str]:
        """What the answer taught of what the file keeps."""
        found = {name: re.search(pattern, reply.text) for name, pattern in self.keep.items()}
        return {name: match[1] for name, match in found.items() if match}
