"""What a column holds for a policy: a text, a whole number, a flag, or nothing that it may read."""

from typing import Literal

from sqlalchemy import types as sql

_TEXT = (sql.String, sql.Text, sql.Unicode, sql.UnicodeText, sql.VARCHAR, sql.TEXT)
_INT = (sql.Integer, sql.BigInteger, sql.SmallInteger, sql.INTEGER, sql.BIGINT, sql.SMALLINT)
_BOOL = (sql.Boolean, sql.BOOLEAN)


def kind_of(declared: object) -> Literal["text", "int", "bool"] | None:
    """What a column of this type holds for a policy; None for a type that compares in its own way.

    Exact classes only: an Enum, a CITEXT or a decorated type is none of the three.
    """
    if type(declared) in _TEXT:
        return "text"
    if type(declared) in _INT:
        return "int"
    return "bool" if type(declared) in _BOOL else None
