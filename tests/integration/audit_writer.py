"""A process that writes audit records and says which receipts it got; killed by the crash tests."""

import sys
import threading

from acl_engine.storage.database import Database
from tests.contract.test_audit_store import entry, store_of


def write(url: str, name: str, callers: int) -> None:
    """Append for ever from several threads; print index, leaf and request of every receipt."""
    store, out = store_of(Database.open(url)), threading.Lock()

    def caller(number: int) -> None:
        turn = 0
        while True:
            request = f"{name}-{number}-{turn}"
            receipt = store.append(entry(request))
            with out:
                sys.stdout.write(f"{receipt.index} {receipt.leaf} {request}\n")
                sys.stdout.flush()
            turn += 1

    for number in range(callers):
        threading.Thread(target=caller, args=(number,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], int(sys.argv[3]))
