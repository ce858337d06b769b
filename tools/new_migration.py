"""Write the next numbered migration from what `tables.py` has and the newest one has not.

Usage: python tools/new_migration.py "why" && ruff format src
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from acl_engine.storage.database import create_or_upgrade
from acl_engine.storage.schema import versions


def main(why: str) -> None:
    number = f"{int((versions() or ('0',))[-1]) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        database = create_or_upgrade(f"sqlite:///{Path(folder) / 'newest.db'}")
        config = Config()
        config.set_main_option("script_location", "acl_engine.storage:migrations")
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with database.write() as cx:
            config.attributes["connection"] = cx
            command.revision(config, why, autogenerate=True, rev_id=number)
        database.close()


if __name__ == "__main__":
    main(sys.argv[1])
