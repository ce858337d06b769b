"""Generated cases: a model, a policy and requests, drawn from what casbin's users write.

A case is drawn from one number, so that a number names it for ever. Matchers are trees of any
shape over the constructs that both engines read; policies hold roles of several levels, domains,
prohibitions, priorities, patterns and conditions; requests hit and miss them.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

EFFECTS = (
    "some(where (p.eft == allow))",
    "!some(where (p.eft == deny))",
    "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "priority(p.eft) || deny",
    "subjectPriority(p.eft) || deny",
)
PEOPLE = ("alice", "bob", "carol", "root", "admin", "staff", "dean", "*")
PATHS = (
    "/a",
    "/b",
    "/a/*",
    "/a/:id",
    "/a/{id}",
    "/a/{id}/b/{id}",
    "/a/?",
    "/a/[b-d]",
    "/*",
    "/a/b/c",
)
ASKED_PATHS = ("/a", "/b", "/a/b", "/a/1", "/a/1/b/1", "/a/1/b/2", "/a/b?x=1", "/a/b/c", "/c")
ACTS = ("read", "write", "^re.*$", "^(read|write)$", "delete")
ASKED_ACTS = ("read", "write", "delete", "re")
DOMAINS = ("north", "south", "east")
NETS = ("10.0.0.0/8", "192.168.1.7", "10.1.0.0/16")
ASKED_NETS = ("10.0.0.1", "192.168.1.7", "172.16.0.1", "10.1.2.3")
RULES = (
    "r.sub.age > 18",
    "r.sub.age >= 18 && r.sub.age < 60",
    'r.sub.name == "alice"',
    "r.sub.name == r.obj",
    '!(r.sub.unit == "north")',
    'r.sub.unit in ("north", "south") || r.sub.age == 3',
    "r.sub.age * 2 > 50",
)

Tree = tuple[str, ...] | tuple[Any, ...] | str
Request = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """`tree` is the matcher: a text, or (`&&`, ...), (`||`, ...), (`!`, part)."""

    fields: tuple[str, ...]
    columns: tuple[str, ...]
    effect: str
    tree: Tree
    rows: tuple[str, ...]
    requests: tuple[Request, ...]
    suffix: str = ""

    @property
    def model(self) -> str:
        """With a suffix, the case's definitions are the second ones; the first are simple."""
        s, dom = self.suffix, "dom" in self.fields
        first = s and "r = sub, obj, act\n"
        own_columns = s and "p = sub, obj, act, eft\n"
        simple = s and "m = r.sub == p.sub && r.obj == p.obj && r.act == p.act\n"
        return (
            f"[request_definition]\n{first}r{s} = {', '.join(self.fields)}\n"
            f"[policy_definition]\n{own_columns}p{s} = {', '.join(self.columns)}\n"
            f"[role_definition]\ng = _, _{', _' if dom else ''}\ng2 = _, _\n"
            f"[policy_effect]\ne = {self.effect}\n"
            f"[matchers]\n{simple}m{s} = {self.matcher}\n"
        )

    @property
    def matcher(self) -> str:
        text = shown(self.tree)
        if self.suffix:
            for old in ("r.", "p."):
                text = text.replace(old, f"{old[0]}{self.suffix}.")
        return text

    @property
    def policy(self) -> str:
        return "\n".join(self.rows) + "\n"

    @property
    def asked(self) -> list[list[Any]]:
        """The requests as JSON, the context first where the case has one."""
        first = [{"context": self.suffix}] if self.suffix else []
        return [[*first, *request] for request in self.requests]


def shown(tree: Tree) -> str:
    """A matcher as text."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "!":
        return f"!({shown(tree[1])})"
    return f" {tree[0]} ".join(
        one if isinstance(one, str) else f"({shown(one)})" for one in tree[1:]
    )


def case(number: int) -> Case:
    """The case of this number."""
    dice = Random(number)
    kind = dice.choice(("plain", "plain", "domain", "attributes", "address"))
    effect = dice.choice(EFFECTS)
    suffix = "2" if dice.random() < 0.1 else ""
    fields: tuple[str, ...] = ("sub", "obj", "act")
    if kind == "domain":
        fields = ("sub", "dom", "obj", "act")
    columns = fields if kind != "attributes" else ("rule", "obj", "act")
    if effect.startswith("priority") and dice.random() < 0.7:
        columns = ("priority", *columns)
    if effect != EFFECTS[0] or dice.random() < 0.6:
        columns = (*columns, "eft")
    tree = _matcher(dice, kind)
    rows = [_row(dice, columns, kind, suffix) for _ in range(dice.choice((1, 2, 4, 6, 9, 20)))]
    if suffix:
        rows += ["p, alice, /a, read, allow"]
    rows += _links(dice, kind)
    requests = tuple(_request(dice, kind) for _ in range(40))
    return Case(fields, columns, effect, tree, tuple(rows), requests, suffix)


def _matcher(dice: Random, kind: str) -> Tree:
    """Mostly one condition a field, joined; sometimes anything over anything."""
    subject, thing, act = _subject(dice, kind), _object(dice, kind), _act(dice)
    parts: list[Tree] = [subject, thing, act]
    if kind == "domain" and dice.random() < 0.8:
        parts.append("r.dom == p.dom")
    if kind == "attributes" and dice.random() < 0.3:
        parts.append(dice.choice(RULES))
    if dice.random() < 0.15:
        parts.pop(dice.randrange(len(parts)))
    dice.shuffle(parts)
    tree: Tree = ("&&", *parts)
    turn = dice.random()
    if turn < 0.15 and kind != "attributes":
        tree = ("||", tree, 'r.sub == "root"')
    elif turn < 0.25:
        tree = ("||", tree, ("&&", _subject(dice, kind), _act(dice)))
    elif turn < 0.35:
        tree = ("&&", ("||", *parts[:2]), *parts[2:])
    elif turn < 0.42:
        tree = ("&&", ("!", parts[0]), *parts[1:])
    elif turn < 0.46:
        tree = ("!", tree)
    return tree


def _subject(dice: Random, kind: str) -> Tree:
    if kind == "attributes":
        return "eval(p.rule)"
    if kind == "domain":
        return dice.choice(("g(r.sub, p.sub, r.dom)", "g(r.sub, p.sub, p.dom)", "r.sub == p.sub"))
    return dice.choice(
        (
            "r.sub == p.sub",
            "g(r.sub, p.sub)",
            "g(r.sub, p.sub)",
            "g(p.sub, r.sub)",
            ("||", "g(r.sub, p.sub)", 'p.sub == "*"'),
            'r.sub in (p.sub, "root")',
            'p.sub in ("alice", "staff")',
            "near(r.sub, p.sub)",
            "r.sub < p.sub",
            'r.sub + "x" == p.sub + "x"',
        )
    )


def _object(dice: Random, kind: str) -> Tree:
    if kind == "address":
        return "ipMatch(r.obj, p.obj)"
    matching = [f"keyMatch{n}(r.obj, p.obj)" for n in ("", "2", "3", "4", "5")]
    choices = ["r.obj == p.obj", "g2(r.obj, p.obj)", "globMatch(r.obj, p.obj)", *matching]
    return dice.choice((*choices, "r.obj != p.obj", 'keyMatch(r.obj, "/a/*")'))


def _act(dice: Random) -> Tree:
    return dice.choice(
        (
            "r.act == p.act",
            "r.act == p.act",
            "regexMatch(r.act, p.act)",
            "r.act != p.act",
            'r.act in ("read", "write")',
            ("!", 'r.act == "delete"'),
            ("||", "r.act == p.act", 'p.act == "write"'),
        )
    )


def _row(dice: Random, columns: tuple[str, ...], kind: str, suffix: str) -> str:
    values = {
        "priority": str(dice.choice((1, 1, 2, 3, 10, 11))),
        "sub": dice.choice(PEOPLE),
        "dom": dice.choice(DOMAINS),
        "obj": dice.choice(NETS if kind == "address" else PATHS),
        "act": dice.choice(ACTS),
        "rule": dice.choice(RULES),
        "eft": dice.choice(("allow", "allow", "deny")),
    }
    if suffix:
        values["rule"] = values["rule"].replace("r.", f"r{suffix}.")
    # A comma inside of brackets is no separator; casbin reads it as we do.
    return ", ".join([f"p{suffix}", *(values[column] for column in columns)])


def _links(dice: Random, kind: str) -> list[str]:
    """Upwards only, so that no cycle arises; at most as deep as casbin walks."""
    names = PEOPLE[:-1]
    links = []
    for _ in range(dice.choice((0, 2, 4, 8))):
        low, high = sorted(dice.sample(range(len(names)), 2))
        domain = f", {dice.choice(DOMAINS)}" if kind == "domain" else ""
        links.append(f"g, {names[low]}, {names[high]}{domain}")
    if dice.random() < 0.5:
        links.append(dice.choice(("g2, /a, /b", "g2, /c, /a", "g2, /a/b, /a/*")))
    return links


def _request(dice: Random, kind: str) -> Request:
    subject: Any = dice.choice((*PEOPLE, "nobody"))
    if kind == "attributes":
        subject = {
            "name": dice.choice((*PEOPLE[:3], "/a")),
            "age": dice.choice((3, 18, 30, 60, 70)),
            "unit": dice.choice(DOMAINS),
        }
    thing = dice.choice(ASKED_NETS if kind == "address" else ASKED_PATHS)
    middle = (dice.choice((*DOMAINS, "west")),) if kind == "domain" else ()
    return (subject, *middle, thing, dice.choice(ASKED_ACTS))


def smaller(one: Case) -> list[Case]:
    """Cases that are the same but for one thing less; the matcher's own parts last."""
    found = [replace(one, requests=(request,)) for request in one.requests if len(one.requests) > 1]
    for at in range(len(one.rows)):
        found.append(replace(one, rows=one.rows[:at] + one.rows[at + 1 :]))
    return found + [replace(one, tree=tree) for tree in _smaller_trees(one.tree)]


def _smaller_trees(tree: Tree) -> list[Tree]:
    if isinstance(tree, str):
        return []
    parts = list(tree[1:])
    found: list[Tree] = list(parts)
    if len(parts) > 2:
        found += [(tree[0], *parts[:at], *parts[at + 1 :]) for at in range(len(parts))]
    for at, part in enumerate(parts):
        found += [(tree[0], *parts[:at], less, *parts[at + 1 :]) for less in _smaller_trees(part)]
    return found
