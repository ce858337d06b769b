"""What a bundle is made of, and made again of by whoever signs it: diff, replay result, words."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.analysis.policy_diff import diff
from acl_engine.bootstrap.paths import project_root
from acl_engine.domain.errors import InputError, PolicyError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Text
from acl_engine.policy import bundle as bundles
from acl_engine.policy.pack import FILES, OPTIONAL, load_pack, pack_from_files
from acl_engine.policy.trust import KEY_BYTES

if TYPE_CHECKING:
    from acl_engine.replay.result import Replay

NOT_A_KEY = Text(
    "policy-bundle.key",
    "不是 32 字节的私钥文件，或其他用户可读",
    "not a private key of 32 bytes, or others may read it",
    "用 `acl policy key` 生成，权限 600",
    "make it with `acl policy key`, mode 600",
)
NO_FILE = Text(
    "policy-bundle.no-file",
    "文件无法读取：{why}",
    "the file cannot be read: {why}",
    "检查路径",
    "check the path",
)
NOT_A_BUNDLE = Text(
    "policy-bundle.order",
    "这是回退令，不是策略包",
    "this is a rollback order, not a bundle",
    "给出策略包",
    "name the bundle",
)
NOT_THE_SAME = Text(
    "policy-bundle.not-the-same",
    "策略包里的 {what} 与在此重新计算的不同",
    "the {what} in the bundle is not what comes out here",
    "请作者重新打包，并查明原因",
    "have the author pack it again, and find out why",
)
STRANGE_FILE = Text(
    "policy-bundle.strange-file",
    "策略包里有不属于策略的文件 `{name}`",
    "the bundle holds `{name}`, which is no file of a policy",
    "请作者重新打包",
    "have the author pack it again",
)
PACKED = Text(
    "policy-bundle.packed",
    "{pack} 第 {sequence} 版，摘要 {digest}：回放 {total} 个情景，{short} 个未达标；{diff}",
    "{pack} {sequence}, digest {digest}: replayed {total} scenarios, {short} fell short; {diff}",
)
ORDERED = Text(
    "policy-bundle.ordered",
    "回退令：从第 {sequence} 版回到摘要 {digest}；须由双方签名",
    "order: from {sequence} back to digest {digest}; both must sign it",
)


def compute_again(
    found: bundles.Bundle, document: Path, previous: Path | None, replay_again: bool
) -> None:
    """Refuse a bundle whose diff or replay result is not what comes out here."""
    before = previous_pack(previous)
    if before is not None and diff_document(before, pack_of(found, document)) != found.diff:
        raise PolicyError(NOT_THE_SAME.of(what="diff"), Where(str(document)))
    if replay_again:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / found.pack / "after"
            place.mkdir(parents=True)
            for name, text in found.files.items():
                (place / name).write_text(text, encoding="utf-8")
            replay = replayed(found.pack, place, ablate=False)
        if replay_document(replay, found.files) != found.replay:
            raise PolicyError(NOT_THE_SAME.of(what="replay"), Where(str(document)))


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise InputError(NO_FILE.of(why=failure.strerror or "?"), Where(str(path))) from None


def read_key(path: Path) -> Ed25519PrivateKey:
    raw = read_bytes(path)
    if len(raw) != KEY_BYTES or path.stat().st_mode & 0o077:
        raise InputError(NOT_A_KEY.of(), Where(str(path)))
    return Ed25519PrivateKey.from_private_bytes(raw)


def pack_of(found: bundles.Bundle, place: Path) -> Pack:
    unknown = sorted(set(found.files) - {*FILES, *OPTIONAL})
    if unknown:  # a name from outside never becomes a path
        raise PolicyError(STRANGE_FILE.of(name=unknown[0]), Where(str(place)))
    return pack_from_files(found.files, folder=str(place))


def previous_pack(path: Path | None) -> Pack | None:
    if path is None:
        return None
    if path.is_dir():
        return load_pack(path)
    found = bundles.read(read_bytes(path), str(path))
    if not isinstance(found, bundles.Bundle):
        raise InputError(NOT_A_BUNDLE.of(), Where(str(path)))
    return pack_of(found, path)


def diff_document(before: Pack | None, after: Pack) -> dict[str, Any]:
    """What is bound in: the version before, and who gains and loses, in both languages."""
    if before is None:
        return {"previous": None}
    found = diff(before, after)
    lines = [change.line() for change in found.changes]
    return {
        "previous": bundles.digest_of(before.files),
        "wider": found.wider,
        "narrower": found.narrower,
        "changes": [{"zh": one.render("zh"), "en": one.render("en")} for one in lines],
    }


def replay_document(replay: "Replay", files: dict[str, str]) -> dict[str, Any]:
    """What is bound in of the replay: of which files, and the verdict of each scenario."""
    return {
        "policy_digest": bundles.digest_of(files),
        "seed": replay.seed,
        "summary": {"total": len(replay.results), "short": len(replay.short)},
        "verdicts": {one.id: str(one.after.verdict) if one.after else "" for one in replay.results},
    }


def summary(made: bundles.Bundle, lang: Lang) -> str:
    counts, found = made.replay.get("summary", {}), made.diff
    change = "-" if found.get("previous") is None else f"+{found['wider']} -{found['narrower']}"
    return PACKED.of(
        pack=made.pack,
        sequence=made.sequence,
        digest=made.digest[:16],
        total=counts.get("total", "?"),
        short=counts.get("short", "?"),
        diff=change,
    ).render(lang)


def ordered(made: bundles.Rollback, lang: Lang) -> str:
    return ORDERED.of(sequence=made.from_sequence, digest=made.to_digest[:16]).render(lang)


def replayed(company: str, folder: Path, *, ablate: bool) -> "Replay":
    """Every scenario of a company against one policy folder, with a bar on a terminal."""
    from acl_engine.cli.replay import (
        hush_alarms,
        progress_bar,
        site,
    )  # heavy, and needed here alone
    from acl_engine.replay.play import Order, play

    hush_alarms()
    with progress_bar() as progress:
        return play(Order(project_root(), company, (), folder, ablate, serve=site()), progress)
