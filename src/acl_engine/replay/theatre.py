"""Everything a replay needs, made once: the packs and the world of the seed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Text
from acl_engine.policy.pack import load_pack
from acl_engine.replay.judge import Judge
from acl_engine.replay.reading import UNDEFINED, read_scenario
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.templates import Templates
from acl_engine.replay.transport import Serve
from acl_engine.replay.vocabulary import Vocabulary
from acl_engine.replay.world.company import World, make_world
from acl_engine.replay.world.seed import read_seed
from acl_engine.replay.world.truth import Truth

TWICE = Text(
    "scenario.id-twice",
    "编号 `{id}` 已被 `{file}` 使用",
    "the id `{id}` is taken by `{file}`",
    "换一个编号",
    "take another",
)

# The world that scenarios run in: small enough to copy for every run.
COURIER = "courier"
SEED = f"{COURIER}-small"
PARCELS = 300


def small_world(
    root: Path, seed: str = SEED, parcels: int = PARCELS, *, pack: str = COURIER
) -> World:
    """The company of a seed, from `seeds/<pack>`."""
    company, names = read_seed(root / "seeds" / pack)
    return make_world(company, names, seed, parcels)


def small_truth(world: World, pack: Pack) -> Truth:
    """What is true in a small world, in the words of a pack's catalogue."""
    return Truth(world, PARCELS, Vocabulary.of(pack.resources))


@contextmanager
def theatre(
    root: Path,
    *,
    pack: str = COURIER,
    policy: Path | None = None,
    ablate: bool = True,
    serve: Serve | None = None,
) -> Iterator[Judge]:
    """A judge over fresh worlds of a pack. `policy` judges one folder instead of before and after;
    `serve` answers raw HTTP steps."""
    before = load_pack(root / "policies" / pack / "before")
    after = load_pack(policy or root / "policies" / pack / "after")
    world = small_world(root, f"{pack}-small", pack=pack)
    truth = small_truth(world, after)
    with tempfile.TemporaryDirectory(prefix="acl-replay-") as folder:
        templates = Templates(Path(folder), world, PARCELS)
        try:
            yield Judge(
                before,
                after,
                templates,
                truth,
                compare=policy is None,
                ablate=ablate,
                serve=serve,
            )
        finally:
            templates.close()


Filed = tuple[Path, Scenario]


def scenarios(root: Path, pack: str, wanted: tuple[str, ...]) -> list[Filed]:
    """The active scenarios of a pack, or those named by id or file. Raises ScenarioError."""
    folder = root / "scenarios" / pack
    found: dict[str, Filed] = {}
    for path in sorted(folder.glob("*.yaml")):
        one = read_scenario(path)
        if one.id in found:
            raise ScenarioError(TWICE.of(id=one.id, file=found[one.id][0].name), Where(str(path)))
        found[one.id] = (path, one)
    if not wanted:
        return [filed for filed in found.values() if filed[1].status == "active"]
    chosen: list[Filed] = []
    for name in wanted:
        if name in found:
            chosen.append(found[name])
        elif name.endswith(".yaml"):
            chosen.append((Path(name), read_scenario(Path(name))))
        else:
            near = get_close_matches(name, found, 5, 0.4)  # of dozens: those spelt alike
            known = ", ".join([*near, f"... ({len(found)})"])
            unknown = UNDEFINED.of(what="scenario", name=name, known=known)
            raise ScenarioError(unknown, Where(str(folder)))
    return chosen
