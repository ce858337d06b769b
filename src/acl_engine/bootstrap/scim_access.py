"""Who may provision over SCIM: a service's token, and what it opens."""

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.provisioning import Provisioning
from acl_engine.bootstrap.service import Service
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.scim_schema import provider
from acl_engine.identity.service_tokens import ServiceTokens
from acl_engine.identity.standing import Rules
from acl_engine.storage.provisioning import SqlProvisioning

PURPOSE = "scim"


class ScimAccess:
    """One for a running service. The units and roles that it publishes are those at its start."""

    def __init__(self, service: Service) -> None:
        rules = Rules.of(service.pack)
        desk = Desk.over(service.database, service.keys, service.clock, rules)
        self._administration = Administration(desk, Passwords.production(), provisioning=True)
        self._store = SqlProvisioning(service.database)
        self._tokens = ServiceTokens(desk.tokens, desk.account, rules, service.clock)
        self.provider = provider(desk.directory.units(), rules.settings.provisions)

    def provisioning(self, token: str) -> Provisioning:
        """What the service behind a token may do. Raises SessionDead."""
        service = self._tokens.resolve(token, PURPOSE)
        return Provisioning(self._administration, self._store, service.login)
