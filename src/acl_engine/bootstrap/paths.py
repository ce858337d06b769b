"""Where packs, seeds and scenarios are found."""

import os
from pathlib import Path

from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text

NO_ROOT = Text(
    "paths.no-project",
    "找不到 `policies` 目录",
    "no folder with `policies` was found",
    "在项目目录中运行，或设置 ACL_HOME",
    "run inside the project's folder, or set ACL_HOME",
)


def project_root() -> Path:
    """ACL_HOME, else the nearest folder above here with `policies`, else the checkout."""
    named = os.environ.get("ACL_HOME")
    places = [Path(named)] if named else [Path.cwd(), *Path.cwd().parents, *Path(__file__).parents]
    for place in places:
        if (place / "policies").is_dir() and (place / "scenarios").is_dir():
            return place
    raise ConfigError(NO_ROOT.of())
