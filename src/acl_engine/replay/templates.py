"""The worlds that runs are copied from: with weak and with strong secrets, built when asked for."""

from pathlib import Path

from acl_engine.identity.passwords import Passwords
from acl_engine.replay.world.build import SecretsKind, build_world
from acl_engine.replay.world.company import World
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.storage.database import Database, create_or_upgrade


class Templates:
    """`templates[weak]`: the world with weak (True) or strong secrets, in a file of `folder`.

    A process opens it for itself: see `built`.
    """

    def __init__(self, folder: Path, world: World, parcels: int) -> None:
        self._folder = folder
        self._world = world
        self._parcels = parcels
        self._open: dict[bool, Database] = {}

    def __getitem__(self, weak: bool) -> Database:
        if weak not in self._open:
            file = self._folder / f"{'weak' if weak else 'strong'}.db"
            url = f"sqlite:///{file}"
            self._open[weak] = Database.open(url) if file.exists() else self._build(url, weak)
        return self._open[weak]

    def built(self) -> None:
        """Build both and hold none open: a connection to SQLite does not survive a fork."""
        for weak in (True, False):
            self[weak]
        self.close()

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _build(self, url: str, weak: bool) -> Database:
        database = create_or_upgrade(url)
        sealing = synthetic_sealing(self._world.seed, Passwords.rehearsal())
        secrets: SecretsKind = "weak" if weak else "strong"
        build_world(database, self._world, self._parcels, sealing, secrets=secrets)
        return database
