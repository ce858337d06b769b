"""The central login of one engine, put together: people's side, applications' side, farewells."""

from dataclasses import dataclass

from acl_engine.bootstrap.cas_record import Recorder
from acl_engine.bootstrap.cas_validation import Validation
from acl_engine.bootstrap.central_login import CentralLogin
from acl_engine.bootstrap.engine import Engine
from acl_engine.bootstrap.farewells import Farewells
from acl_engine.bootstrap.keys import Keys
from acl_engine.domain.cas import Outbound
from acl_engine.domain.pack import Pack
from acl_engine.domain.ports import Clock
from acl_engine.identity.cas_tickets import Forms
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.storage.cas_store import SqlTicketStore
from acl_engine.storage.database import Database


@dataclass(frozen=True, slots=True)
class Central:
    login: CentralLogin
    validation: Validation
    farewells: Farewells

    @classmethod
    def over(
        cls,
        *,
        database: Database,
        pack: Pack,
        clock: Clock,
        keys: Keys,
        engine: Engine,
        outbound: Outbound,
        form_seconds: int = 600,
    ) -> "Central":
        """The central login over an engine's database, keys and pack."""
        settings = pack.settings.central
        sessions = engine.sessions
        registry, tickets = SqlServiceRegistry(database), SqlTicketStore(database)
        recorder = Recorder(engine.audit, clock, pack.version)
        return cls(
            CentralLogin(
                engine,
                sessions,
                registry,
                tickets,
                Forms(keys.forms, form_seconds),
                recorder,
                settings,
                clock,
            ),
            Validation(
                sessions,
                registry,
                tickets,
                outbound,
                recorder,
                settings,
                clock,
                pack.role_links,
            ),
            Farewells(tickets, registry, outbound, recorder, clock, settings.farewell_tries),
        )
