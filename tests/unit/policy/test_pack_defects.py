"""Every defect of a pack is refused at load, with its file and line, together with all others."""

import shutil
from pathlib import Path

import pytest

from acl_engine.domain.errors import InputError, PolicyError, PolicyErrors, Where
from acl_engine.policy import strict_yaml
from acl_engine.policy.pack import document_types, load_pack

ASSETS = Path(__file__).parents[2] / "assets" / "packs"
SMALL = ASSETS / "small" / "v1"
DEFECTS = sorted(folder.name for folder in (ASSETS / "bad").iterdir())


def defective(name: str, into: Path) -> Path:
    """The small pack with the files of one defect in place of its own."""
    folder = into / name
    shutil.copytree(SMALL, folder)
    for file in (ASSETS / "bad" / name).iterdir():
        shutil.copy(file, folder)
    return folder


def found(folder: Path) -> list[str]:
    with pytest.raises(PolicyErrors) as caught:
        load_pack(folder)
    places = [(one.message.code, one.where or Where("?")) for one in caught.value.errors]
    return sorted(f"{code} {Path(where.file).name}:{where.line}" for code, where in places)


def test_the_pack_without_a_defect_loads() -> None:
    """Otherwise the refusals below would prove nothing."""
    assert load_pack(SMALL).name == "small"


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_refused_where_it_stands(name: str, tmp_path: Path) -> None:
    """Exactly the findings that the asset lists: none is missing, none is invented."""
    expected = (ASSETS / "bad" / name / "expect.txt").read_text().split("\n")
    assert found(defective(name, tmp_path)) == sorted(filter(None, expected))


@pytest.mark.parametrize("name", DEFECTS)
def test_each_error_is_one_line_with_its_place(name: str, tmp_path: Path) -> None:
    """An error can be read in a terminal and clicked in an editor, in both languages."""
    with pytest.raises(PolicyErrors) as caught:
        load_pack(defective(name, tmp_path))
    for one in caught.value.errors:
        for lang in ("zh", "en"):
            assert "\n" not in one.render(lang)  # type: ignore[arg-type]
            assert one.render(lang).startswith(str(tmp_path))  # type: ignore[arg-type]


@pytest.mark.parametrize("file", ["policy.csv", "model.conf"])
def test_a_line_hidden_behind_a_comment(file: str, tmp_path: Path) -> None:
    """U+2028 shows as nothing to a reviewer, and would start a row."""
    folder = tmp_path / "hidden"
    shutil.copytree(SMALL, folder)
    text = (folder / file).read_text()
    hidden = "".join(f"# a note\u2028{line}\n" for line in text.splitlines()[-1:])
    (folder / file).write_text(text.rstrip("\n") + "\n" + hidden)
    assert f"lines.hidden {file}:{len(text.splitlines()) + 1}" in found(folder)


@pytest.mark.parametrize(
    ("name", "near"), [("stage-mistyped", "OUT"), ("relation-unknown", "in_custody")]
)
def test_the_hint_names_the_closest_word(name: str, near: str, tmp_path: Path) -> None:
    """Did you mean: the closest word that exists stands in the hint."""
    with pytest.raises(PolicyErrors) as caught:
        load_pack(defective(name, tmp_path))
    assert near in caught.value.errors[0].message.hint("en")


@pytest.mark.parametrize("file", ["policy.csv", "roles.yaml", "model.conf"])
def test_a_missing_file_is_named(file: str, tmp_path: Path) -> None:
    """A pack is whole or it is not loaded."""
    folder = tmp_path / "pack"
    shutil.copytree(SMALL, folder)
    (folder / file).unlink()
    assert found(folder) == [f"yaml.missing {file}:0"]


def test_a_stock_casbin_folder_is_one_error(tmp_path: Path) -> None:
    """Not a list of the six files that a pack has besides."""
    shutil.copy(SMALL / "model.conf", tmp_path)
    shutil.copy(SMALL / "policy.csv", tmp_path)
    with pytest.raises(PolicyError) as caught:
        load_pack(tmp_path)
    assert caught.value.message.code == "folder.not-a-pack"


def test_a_folder_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    """No traceback for a mistyped path."""
    with pytest.raises(PolicyError) as caught:
        load_pack(tmp_path / "nowhere")
    assert caught.value.message.code == "yaml.missing"


def test_the_version_follows_every_file(tmp_path: Path) -> None:
    """What was signed is what runs: any change of any file is another version."""
    versions = {load_pack(SMALL).version}
    for file in sorted(path.name for path in SMALL.iterdir()):
        folder = tmp_path / file
        shutil.copytree(SMALL, folder)
        (folder / file).write_text((folder / file).read_text() + "\n# changed\n")
        versions.add(load_pack(folder).version)
    assert len(versions) == 1 + len(list(SMALL.iterdir()))


def test_plain_scalars_hold_no_surprise() -> None:
    """Dates, `yes`, octal and base-60 numbers stay the strings that they were typed as."""
    text = "a: 2020-10-01\nb: yes\nc: no\nd: 010\ne: 12:30\nf: 1e3\ng: 0x1F\nh: true\ni: 7\nj:\n"
    assert strict_yaml.plain(text, "t") == {
        "a": "2020-10-01",
        "b": "yes",
        "c": "no",
        "d": "010",
        "e": "12:30",
        "f": "1e3",
        "g": "0x1F",
        "h": True,
        "i": 7,
        "j": None,
    }


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system [ls]", "a: [" * 60, "a: b: c", "\x00", "a: *b"]
)
def test_hostile_yaml_is_one_error(text: str) -> None:
    """No code runs, nothing expands, no foreign exception comes out."""
    with pytest.raises(InputError) as caught:
        strict_yaml.read_text(text.encode(), dict[str, str], file="hostile.yaml")
    assert caught.value.where is not None
    assert caught.value.where.file == "hostile.yaml"


def test_every_document_has_a_schema() -> None:
    """The published schema is made from the types that read the file."""
    for name, kind in document_types():
        assert strict_yaml.schema(kind)["$schema"].endswith("2020-12/schema"), name
