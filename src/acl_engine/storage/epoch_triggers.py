"""Triggers below every write path: a right that is changed by plain SQL raises the epoch as well.

The engine's own writes raise it themselves and say when; these see to a database console, a
script, a restored table. A migration that makes `accounts` or `persons` anew must call this again.
"""

# ruff: noqa: S608 - the words below are this file's own.
# What of an account, or of its person, changes what it may do.
_ACCOUNT = ("role", "unit", "status", "person", "tenant", "customer")
_PERSON = ("status", "unit")


def triggers(dialect: str) -> list[str]:
    """The statements that make the triggers anew. `dialect` is sqlite or postgresql."""
    return _postgresql() if dialect == "postgresql" else _sqlite()


def _sqlite() -> list[str]:
    changed = " OR ".join(f"NEW.{one} IS NOT OLD.{one}" for one in _ACCOUNT)
    moved = " OR ".join(f"NEW.{one} IS NOT OLD.{one}" for one in _PERSON)
    return [
        "DROP TRIGGER IF EXISTS accounts_epoch",
        "DROP TRIGGER IF EXISTS persons_epoch",
        f"CREATE TRIGGER accounts_epoch AFTER UPDATE OF {', '.join(_ACCOUNT)} ON accounts"
        f" FOR EACH ROW WHEN NEW.epoch = OLD.epoch AND ({changed})"
        " BEGIN UPDATE accounts SET epoch = epoch + 1 WHERE login = NEW.login; END",
        f"CREATE TRIGGER persons_epoch AFTER UPDATE OF {', '.join(_PERSON)} ON persons"
        f" FOR EACH ROW WHEN {moved}"
        " BEGIN UPDATE accounts SET epoch = epoch + 1 WHERE person = NEW.id; END",
    ]


def _postgresql() -> list[str]:
    changed = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in _ACCOUNT)
    moved = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in _PERSON)
    return [
        "CREATE OR REPLACE FUNCTION accounts_epoch() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN IF NEW.epoch = OLD.epoch AND ({changed}) THEN NEW.epoch := OLD.epoch + 1;"
        " END IF; RETURN NEW; END $$",
        "CREATE OR REPLACE FUNCTION persons_epoch() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN IF {moved} THEN UPDATE accounts SET epoch = epoch + 1 WHERE person = NEW.id;"
        " END IF; RETURN NEW; END $$",
        "DROP TRIGGER IF EXISTS accounts_epoch ON accounts",
        "DROP TRIGGER IF EXISTS persons_epoch ON persons",
        "CREATE TRIGGER accounts_epoch BEFORE UPDATE ON accounts"
        " FOR EACH ROW EXECUTE FUNCTION accounts_epoch()",
        f"CREATE TRIGGER persons_epoch AFTER UPDATE OF {', '.join(_PERSON)} ON persons"
        " FOR EACH ROW EXECUTE FUNCTION persons_epoch()",
    ]
