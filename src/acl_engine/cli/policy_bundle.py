"""acl policy key, bundle, sign, rollback, verify, load: the way of a policy into production."""

import base64
import json
import os
import time
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap.policies import PolicySource, open_policy
from acl_engine.cli.account_options import database_option
from acl_engine.cli.bundle_parts import (
    NO_FILE,
    NOT_A_BUNDLE,
    compute_again,
    diff_document,
    ordered,
    pack_of,
    previous_pack,
    read_bytes,
    read_key,
    replay_document,
    replayed,
    summary,
)
from acl_engine.cli.writing import write_whole
from acl_engine.domain.errors import InputError, PolicyError, Where
from acl_engine.domain.text import Lang, Text
from acl_engine.policy import bundle as bundles
from acl_engine.policy.pack import load_pack
from acl_engine.policy.trust import read_trust
from acl_engine.storage.database import Database

FILE = click.Path(path_type=Path, dir_okay=False)
ANY = click.Path(path_type=Path)

EXISTS = Text(
    "policy-bundle.exists",
    "文件已存在，不覆盖",
    "the file exists and is not overwritten",
    "换一个名称",
    "name another",
)
REPLAYED_ANOTHER = Text(
    "policy-bundle.changed",
    "策略在回放期间被改动",
    "the policy was changed while it was replayed",
    "再打包一次",
    "pack it again",
)
SIGNED = Text(
    "policy-bundle.signed",
    "已签名：{part} {name}；签名者：{all}",
    "signed as {part} by {name}; signatures: {all}",
)
GOOD = Text(
    "policy-bundle.good",
    "有效：{pack} 第 {sequence} 版，{signed}",
    "good: {pack} {sequence}, {signed}",
)
LOADED = Text(
    "policy-bundle.loaded",
    "已载入：{pack}，版本 {version}",
    "loaded: {pack}, version {version}",
)


@click.command("key")
@click.option("--out", required=True, type=FILE, help="Where the private key goes; it stays there.")
@click.option("--name", required=True, help="Whose key it is, as the trust file will say.")
def key_command(out: Path, name: str) -> None:
    """Make a signing key; print the line of the trust file that belongs to it.

    \b
    acl policy key --name ann --out ann.key

    Collect the lines of author and approver in a trust file, kept by neither of them:

    \b
    schema: acl-policy-trust/1
    people:
      - {name: ann, parts: [author], public_key: ...}
      - {name: bob, parts: [approver], public_key: ...}
    """
    key = Ed25519PrivateKey.generate()
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(EXISTS.of(), Where(str(out))) from None
    except OSError as failure:
        raise InputError(NO_FILE.of(why=failure.strerror or "?"), Where(str(out))) from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes_raw())
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    quoted = json.dumps(name, ensure_ascii=False)
    click.echo(f"  - {{name: {quoted}, parts: [author], public_key: {public}}}")


@click.command("bundle")
@click.argument("folder", metavar="DIR", type=ANY)
@click.option("--sequence", required=True, type=click.IntRange(1), help="Higher than any before.")
@click.option("--out", required=True, type=FILE, help="Where the bundle goes.")
@click.option("--previous", type=ANY, help="What runs now: its bundle or folder, for the diff.")
@click.option("--name", help="The company's name.  [default: the folder above DIR]")
@click.option("--no-ablation", is_flag=True, help="Do not switch controls off (faster, weaker).")
@click.pass_obj
def bundle_command(
    lang: Lang,
    folder: Path,
    sequence: int,
    out: Path,
    previous: Path | None,
    name: str | None,
    no_ablation: bool,
) -> None:
    """Pack the policy in DIR for production: files, digest, diff, and the result of a replay.

    Every scenario is replayed against exactly these files first; with anything falling short there
    is no bundle. Then the author and another person sign it.

    \b
    acl policy bundle policies/courier/after --sequence 7 --previous v6.json --out v7.json
    acl policy sign v7.json --as author --name ann --key ann.key
    acl policy sign v7.json --as approver --name bob --key bob.key
    acl policy load v7.json --trust trust.yaml --database postgresql://...
    """
    pack = load_pack(folder)
    before = previous_pack(previous)
    changes = diff_document(before, pack)
    company = name or pack.name
    replay = replayed(company, folder, ablate=not no_ablation)
    files = dict(pack.files)
    if dict(load_pack(folder).files) != files:
        raise PolicyError(REPLAYED_ANOTHER.of(), Where(str(folder)))
    made = bundles.make(company, sequence, files, changes, replay_document(replay, files))
    write_whole(out, bundles.encode(made).decode())
    click.echo(summary(made, lang))


@click.command("sign")
@click.argument("document", metavar="FILE", type=FILE)
@click.option("--as", "part", required=True, type=click.Choice(list(bundles.PARTS)))
@click.option("--name", required=True, help="Who signs, as the trust file names them.")
@click.option("--key", "key_file", required=True, type=FILE, help="From `acl policy key`.")
@click.option("--previous", type=ANY, help="Compute the diff again, against this bundle or folder.")
@click.option("--replay-again", is_flag=True, help="Replay the scenarios again before signing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def sign_command(
    lang: Lang,
    document: Path,
    part: bundles.Part,
    name: str,
    key_file: Path,
    previous: Path | None,
    replay_again: bool,
    yes: bool,
) -> None:
    """Read what a bundle or a rollback order changes, and sign it as its author or approver.

    The diff and the replay result in a bundle are its author's word until you compute them again:

    \b
    acl policy sign v7.json --as approver --name bob --key bob.key --previous v6.json --replay-again
    """
    found = bundles.read(read_bytes(document), str(document))
    if isinstance(found, bundles.Bundle):
        pack_of(found, document)
        compute_again(found, document, previous, replay_again)
        click.echo(summary(found, lang))
        for line in found.diff.get("changes", ()):
            click.echo(f"  {line.get(lang, line)}")
    else:
        click.echo(ordered(found, lang))
        click.echo(f"  {found.reason}")
    if any(one.name == name and one.part != part for one in found.signatures):
        raise PolicyError(bundles.SAME_PERSON.of(), Where(str(document)))
    if not yes:
        click.confirm("签名？" if lang == "zh" else "Sign this?", abort=True, err=True)
    key = read_key(key_file)
    if isinstance(found, bundles.Bundle):
        found = bundles.sign(found, part, name, key)
    else:
        found = bundles.sign(found, part, name, key)
    write_whole(document, bundles.encode(found).decode())
    everyone = ", ".join(f"{one.part} {one.name}" for one in found.signatures)
    click.echo(SIGNED.of(part=part, name=name, all=everyone).render(lang))


@click.command("rollback")
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option("--from", "sequence", required=True, type=click.IntRange(1), help="What runs now.")
@click.option("--reason", required=True, help="Stands in the order, for the other person to read.")
@click.option("--out", required=True, type=FILE, help="Where the order goes.")
@click.pass_obj
def rollback_command(lang: Lang, bundle: Path, sequence: int, reason: str, out: Path) -> None:
    """Write an order to go back to BUNDLE. Author and approver sign it as they sign a bundle.

    \b
    acl policy rollback v6.json --from 7 --reason "v7 stops the morning sort" --out back.json
    acl policy load v6.json --rollback back.json --trust trust.yaml --database postgresql://...
    """
    target = bundles.read(read_bytes(bundle), str(bundle))
    if not isinstance(target, bundles.Bundle):
        raise InputError(NOT_A_BUNDLE.of(), Where(str(bundle)))
    made = bundles.Rollback(
        from_sequence=sequence, to_digest=target.digest, reason=reason, made_at=int(time.time())
    )
    write_whole(out, bundles.encode(made).decode())
    click.echo(ordered(made, lang))


@click.command("verify")
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option(
    "--trust", required=True, type=FILE, envvar="ACL_POLICY_TRUST", help="Whose signatures count."
)
@click.pass_obj
def verify_command(lang: Lang, bundle: Path, trust: Path) -> None:
    """Whether BUNDLE is whole, signed by two trusted people, and fell short nowhere.

    Opens no database: whether it is newer than what runs there is checked when it is loaded.
    """
    found = bundles.verify(read_bytes(bundle), read_trust(trust), file=str(bundle))
    pack_of(found, bundle)
    signed = ", ".join(f"{one.part} {one.name}" for one in found.signatures)
    click.echo(GOOD.of(pack=found.pack, sequence=found.sequence, signed=signed).render(lang))


@click.command("load")
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@database_option
@click.option(
    "--trust", required=True, type=FILE, envvar="ACL_POLICY_TRUST", help="Whose signatures count."
)
@click.option("--rollback", type=FILE, help="An order signed by both, to go back.")
@click.pass_obj
def load_command(lang: Lang, bundle: Path, url: str, trust: Path, rollback: Path | None) -> None:
    """Make BUNDLE the policy over a database. Load, refusal and rollback stand in its audit log.

    A service that is started with ACL_POLICY=BUNDLE and ACL_POLICY_TRUST does the same by itself.
    """
    with Database.open(url) as database:
        pack = open_policy(database, PolicySource(bundle, trust, rollback))
    click.echo(LOADED.of(pack=pack.name, version=pack.version).render(lang))


COMMANDS = (
    key_command,
    bundle_command,
    sign_command,
    rollback_command,
    verify_command,
    load_command,
)
