"""Who is behind a bearer token at step 0: a person's own session, or an application's visit."""

from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import SessionDead
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.identity.sessions import StoredSessions
from acl_engine.identity.visits import PREFIX, Visits

OVER = Refusal(line="0", controls=(), rule=None, code="visit-over")


class Callers:
    """Implements `domain.ports.Sessions`. Either way it is the person that counts, live."""

    def __init__(self, sessions: StoredSessions, visits: Visits, clock: Clock) -> None:
        self._sessions, self._visits, self._clock = sessions, visits, clock

    def resolve(self, token: str) -> Principal:
        if not token.startswith(PREFIX):
            return self._sessions.resolve(token)
        visiting = self._visits.read(token, int(self._clock.now().timestamp()))
        if visiting is None:
            raise SessionDead(OVER)
        return self._sessions.standing(visiting.session)
