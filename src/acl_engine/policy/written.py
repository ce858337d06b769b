"""A tree as text again: for explanations and diffs. Parsing the text gives the same tree."""

from acl_engine.policy.expression import (
    And,
    Binary,
    Call,
    Expr,
    Literal,
    Name,
    Not,
    Or,
    Sequence,
)


def written(tree: Expr) -> str:
    """The tree in casbin's grammar."""
    match tree:
        case Literal(value):
            return _literal(value)
        case Name(path):
            return ".".join(path)
        case Call(function, args):
            return f"{'.'.join(function)}({', '.join(map(written, args))})"
        case Sequence(items):
            return "(" + "".join(f"{written(item)}, " for item in items).rstrip() + ")"
        case Binary(op, left, right):
            return f"{_inner(left)} {op} {_inner(right)}"
        case Not(part):
            return f"!{_inner(part)}"
        case And(parts):
            return " && ".join(_inner(part) for part in parts)
        case Or(parts):
            return " || ".join(_inner(part) for part in parts)


def _inner(tree: Expr) -> str:
    text = written(tree)
    return f"({text})" if isinstance(tree, Binary | And | Or) and _loose(tree) else text


def _loose(tree: Expr) -> bool:
    return isinstance(tree, And | Or) or (isinstance(tree, Binary) and tree.op in "+-*/%")


def _literal(value: str | int | float | bool | None) -> str:
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return "None" if value is None else str(value)
