"""acl policy explain: why a decision is as it is."""

import json
from pathlib import Path
from typing import Any

import click

from acl_engine.cli.facts import given_facts, one_of
from acl_engine.decision.compiled import CompiledPolicy
from acl_engine.decision.explain import explain
from acl_engine.decision.explanation import Explanation
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.domain.facts import Facts
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Lang
from acl_engine.policy.casbin_folder import casbin_files
from acl_engine.policy.pack import load_pack

FOLDER = click.Path(path_type=Path)


@click.command("explain")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("request", metavar="REQUEST...", nargs=-1, required=True)
@click.option("--role", help="A pack: the role that asks.")
@click.option(
    "--resource", default="waybill", show_default=True, help="A pack: the type of the record."
)
@click.option("--sub", "subject", multiple=True, metavar="NAME=VALUE", help="A fact: who asks.")
@click.option("--res", "record", multiple=True, metavar="NAME=VALUE", help="A fact: the record.")
@click.option("--compat", is_flag=True, help="A casbin policy: read it as casbin would.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def explain_command(
    lang: Lang,
    folder: Path,
    request: tuple[str, ...],
    role: str | None,
    resource: str,
    subject: tuple[str, ...],
    record: tuple[str, ...],
    compat: bool,
    form: str,
) -> None:
    """Why the policy in DIR allows a request, or the nearest row and what it lacks.

    \b
    A pack: REQUEST is the action; the facts are given one by one.
    acl policy explain policies/courier/after read --role courier \\
      --sub person=p1 --sub on_shift=true --sub device_bound=true --sub released_stop=3 \\
      --res assignee=p1 --res assignee_sound=true --res stop_seq=2 --res stage=OUT_FOR_DELIVERY

    \b
    A casbin policy: REQUEST is what `enforce` is given; JSON stands for an object.
    acl policy explain my-casbin-policy alice /data1 read
    acl policy explain my-casbin-policy '{"role": "clerk"}' '{"branch": "b1"}' read

    A fact that is not given is unknown, and what is unknown denies. A set is written a,b,c.
    Exit code 0: allowed. 1: denied.
    """
    files = casbin_files(folder)
    if files is not None:
        policy = CompiledPolicy.from_files(*files, compat=compat)
        found, pack = policy.explain(*map(_casbin_value, request)), None
    else:
        pack = load_pack(folder)
        found = _explain_pack(pack, request, role, resource, subject, record)
    click.echo(_json(found, lang) if form == "json" else _text(found, pack, lang))
    raise click.exceptions.Exit(0 if found.decision.allowed else 1)


def _casbin_value(text: str) -> Any:
    if not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise click.BadParameter("not a JSON object", param_hint="REQUEST") from None


def _explain_pack(
    pack: Pack,
    request: tuple[str, ...],
    role: str | None,
    resource: str,
    subject: tuple[str, ...],
    record: tuple[str, ...],
) -> Explanation:
    actions = [str(action) for action in Action]
    if len(request) != 1 or request[0] not in actions:
        raise click.BadParameter("one action: " + one_of(actions), param_hint="REQUEST")
    if role not in pack.roles:
        raise click.BadParameter(one_of(pack.roles), param_hint="--role")
    if resource not in pack.resources:
        raise click.BadParameter(one_of(pack.resources), param_hint="--resource")
    spec = pack.resources[resource]
    who = given_facts(subject, dict(pack.subject_attributes), "--sub") | {"role": role}
    what = given_facts(record, {**spec.attributes, spec.key: "text"}, "--res") | {"type": resource}
    asked = Request("-", Action(request[0]), resource, "-", (), (), None, None, (), 1, None)
    return explain(PackDecider(pack), asked, Facts(who, what if record else None))


def _text(found: Explanation, pack: Pack | None, lang: Lang) -> str:
    lines = [f"{found.decision.effect}: {found.render(lang)}"]
    for field, grant in found.decision.grants.items():
        lines.append(f"  {field} = {grant.show} {' '.join(grant.profiles)}".rstrip())
    for name in found.decision.controls:
        control = pack.controls.get(name) if pack else None
        if control is not None:
            lines.append(f"  {name}: {control.zh if lang == 'zh' else control.en}")
    return "\n".join(lines)


def _json(found: Explanation, lang: Lang) -> str:
    document = {
        "schema": "acl-explanation/1",
        "effect": str(found.decision.effect),
        "reason": found.decision.reason.render(lang),
        "version": found.decision.version,
        "controls": list(found.decision.controls),
        "rows": [
            {
                "rule": reading.rule,
                "lacking": [one.render(lang) for one in reading.lacking],
                "facts": [
                    {"text": fact.text, "values": dict(fact.values), "holds": fact.holds}
                    for fact in reading.facts
                ],
            }
            for reading in found.readings
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
