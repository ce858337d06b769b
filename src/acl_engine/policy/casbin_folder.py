"""A folder of a stock casbin policy: one model and one CSV, and none of a pack's YAML files."""

from pathlib import Path

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Text

# A folder with one of these is meant as a pack, even if others are missing.
PACK_FILES = ("roles.yaml", "resources.yaml", "relations.yaml", "controls.yaml")

NOT_ONE = Text(
    "folder.not-one",
    "目录里应恰有一个 {suffix} 文件（或名为 `{name}`），找到 {found} 个",
    "the folder must hold one {suffix} file (or one named `{name}`), found {found}",
    "把策略放进自己的目录，或改名",
    "put the policy into a folder of its own, or rename the files",
)
NOT_A_PACK = Text(
    "folder.not-a-pack",
    "这是一个普通 casbin 策略，这里需要策略包",
    "this is a stock casbin policy, and a pack is needed here",
    "`acl policy check` 与 `explain` 可读它；策略包见 policies/courier/README.md",
    "`acl policy check` and `explain` read it; for a pack see policies/courier/README.md",
)


def casbin_files(folder: Path) -> tuple[Path, Path] | None:
    """The model and the policy of a casbin folder; None for what is to be read as a pack.

    Raises PolicyError where it cannot be told which files are meant.
    """
    if not folder.is_dir() or any((folder / name).is_file() for name in PACK_FILES):
        return None
    if not any(one.suffix in (".conf", ".csv") for one in folder.iterdir()):
        return None
    return _only(folder, ".conf", "model.conf"), _only(folder, ".csv", "policy.csv")


def _only(folder: Path, suffix: str, name: str) -> Path:
    found = sorted(one for one in folder.iterdir() if one.suffix == suffix)
    if (folder / name).is_file():
        return folder / name
    if len(found) != 1:
        message = NOT_ONE.of(suffix=suffix, name=name, found=len(found))
        raise PolicyError(message, Where(str(folder)))
    return found[0]
