"""acl mask file: every encoding, and every broken table refused by name and row."""

import json
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from acl_engine.cli import cli
from acl_engine.cli.mask_file import detect_encoding
from acl_engine.domain.errors import InputError

HEADER = "运单号,收件人,手机,地址,备注,件数,客户"
ROWS = (
    "SF1234567890123,张三丰,19012345678,深圳市宝安区西乡街道臣田花园3栋1203,放门口,2,李小明",
    "SF1234567890124,欧阳锋,+852 9123 4567,乱写的,=cmd|1,3,19000001111",
)
MASKED = [
    "***********0123,张**,*******5678,***,***,***,***",
    "***********0124,欧阳*,'+***-******67,***,***,***,***",
]
STRICT = [
    "***,张**,*********78,深圳市宝安区西乡街道臣田花园***,放门口,2,***",
    "***,欧阳*,'+***-******67,***,***,3,***",
]


def write(folder: Path, text: str, encoding: str = "utf-8", name: str = "in.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def run(source: Path, target: Path, *args: str, profile: str = "screen-strict") -> Result:
    words = ["mask", "file", str(source), str(target), "--profile", profile, *args]
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def refusal(source: Path, *args: str, profile: str = "screen-strict") -> InputError:
    target = source.parent / "out.csv"
    with pytest.raises(InputError) as caught:
        run(source, target, *args, profile=profile)
    assert not target.exists()
    assert [path.name for path in source.parent.iterdir()] == [source.name], "half-written file"
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le-bom"])
def test_every_encoding_is_found_and_masked(tmp_path: Path, encoding: str) -> None:
    text = "\n".join([HEADER, *ROWS])
    if encoding == "utf-16-le-bom":
        text, encoding = "\ufeff" + text, "utf-16-le"
    source, target = write(tmp_path, text, encoding), tmp_path / "out.csv"
    assert run(source, target).exit_code == 0
    assert target.read_text("utf-8-sig").splitlines() == [HEADER, *STRICT]


def test_the_stricter_profile_hides_what_it_does_not_name(tmp_path: Path) -> None:
    source, target = write(tmp_path, "\n".join([HEADER, *ROWS])), tmp_path / "out.csv"
    run(source, target, profile="pickup")
    assert target.read_text("utf-8-sig").splitlines() == [HEADER, *MASKED]


def test_no_clear_value_leaves_by_any_column(tmp_path: Path) -> None:
    source, target = write(tmp_path, "\n".join([HEADER, *ROWS])), tmp_path / "out.csv"
    run(source, target, "--column", "客户=keep", "--column", "件数=keep")
    text = target.read_text("utf-8-sig")
    for secret in ("19012345678", "19000001111", "张三丰", "欧阳锋", "1203", "9123"):
        assert secret not in text


def test_the_report_names_columns_that_nobody_declared(tmp_path: Path) -> None:
    source = write(tmp_path, "\n".join([HEADER, *ROWS]))
    done = run(source, tmp_path / "out.csv", "--format", "json")
    report = {one["column"]: one for one in json.loads(done.output)["columns"]}
    assert report["客户"]["looked_personal"] == 2
    assert not report["客户"]["declared"]
    assert report["备注"]["formulas_hidden"] == 1
    assert report["手机"]["declared"]


def test_xlsx_in_and_out_with_numbers_and_formulas(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", "手机", "备注", "件数"])
    sheet.append(["张三丰", 19012345678, '=HYPERLINK("http://x")', 2])
    sheet.append(["欧阳锋", 19012345679.0, None, None])
    source, target = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    book.save(source)
    assert run(source, target).exit_code == 0
    found = list(openpyxl.load_workbook(target).worksheets[0].iter_rows(values_only=True))
    assert found == [
        ("姓名", "手机", "备注", "件数"),
        ("张**", "*********78", "***", "2"),
        ("欧阳*", "*********79", None, None),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file-empty"),
        ("姓名,姓名\n张三,李四\n", "table-header-duplicate"),
        ("姓名,\n张三,李四\n", "table-header-empty"),
        ("张三,19012345678\n李四,19012345679\n", "table-header-data"),
        ("姓名,=1+1\n张三,1\n", "table-header-data"),
        ("姓名,手机\n张三,19012345678\n李四\n", "table-row-width"),
        ("姓名,手机\n张三,19012345678,多一列\n", "table-row-width"),
        ('姓名,手机\n张三,"19012345678\n', "file-csv"),
    ],
)
def test_a_broken_table_is_refused_and_nothing_is_written(
    tmp_path: Path, text: str, code: str
) -> None:
    error = refusal(write(tmp_path, text))
    assert error.message.code == code
    assert "1901234" not in str(error)
    assert "张三" not in str(error)


def test_the_refusal_names_the_row(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "姓名,手机\n张三,1\n李四,2\n王五\n"))
    assert dict(error.message.params)["row"] == "4"


def test_bytes_of_another_encoding_further_down_are_refused(tmp_path: Path) -> None:
    """The head of the file is UTF-8, its tail is not: no guess, no half file."""
    path = tmp_path / "in.csv"
    head = "姓名,手机\n" + "张三,19012345678\n" * 70_000
    path.write_bytes(head.encode() + "李四,19012345679\n".encode("gb18030"))
    assert detect_encoding(path) == "utf-8"
    assert refusal(path).message.code == "file-encoding"


def test_what_is_wrong_with_the_call_is_one_error(tmp_path: Path) -> None:
    source = write(tmp_path, "姓名\n张三\n")
    assert refusal(source, "--column", "电话=phone").message.code == "table-column-unknown"
    assert refusal(source, "--column", "姓名=person").message.code == "table-kind-unknown"
    assert refusal(source, profile="nothing").message.code == "mask-profile-unknown"
    with pytest.raises(InputError) as caught:
        run(source, source)
    assert caught.value.message.code == "file-same"
    target = write(tmp_path, "kept", name="out.csv")
    with pytest.raises(InputError):
        run(source, target)
    assert target.read_text() == "kept"
    assert run(source, target, "--force").exit_code == 0


def test_a_missing_file_and_a_false_xlsx_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run(tmp_path / "no.csv", tmp_path / "out.csv")
    write(tmp_path, "not a zip", name="in.xlsx")
    with pytest.raises(InputError) as caught:
        run(tmp_path / "in.xlsx", tmp_path / "out.csv")
    assert caught.value.message.code == "file-unreadable"
    assert not (tmp_path / "out.csv").exists()
