"""acl mask file: every encoding, and every broken table refused by name and row."""

import gc
import json
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from acl_engine.cli import cli, spreadsheets
from acl_engine.cli.encodings import detect_encoding
from acl_engine.cli.mask_file import mask_file
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


def test_a_row_refused_on_the_way_into_a_workbook_is_one_line_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-written sheet complained when it was collected, after the one line."""
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    source = write(tmp_path, "姓名,手机\n张三,19012345678\n李四,19012345679,王五\n")
    with pytest.raises(InputError) as caught:
        run(source, tmp_path / "out.xlsx")
    assert caught.value.message.code == "table-row-width"
    del caught
    gc.collect()
    assert said == []
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


# --- bad input: masked safely, or refused by name and row -----------------------------------------

CLEAR = ("19012345678", "张三丰", "欧阳锋", "1203")


def leaks(target: Path, *secrets: str) -> list[str]:
    """The secrets that stand in a file, in any encoding that turns a wrong reading back."""
    if not target.exists():
        return []
    text = target.read_text("utf-8-sig")
    readings = [text]
    for wrong in ("gb18030", "latin-1", "cp1252", "utf-16-le", "utf-16-be", "big5"):
        for right in ("utf-8", "gb18030", "big5"):
            readings.append(text.encode(wrong, "ignore").decode(right, "ignore"))
    return [secret for secret in secrets if any(secret in one for one in readings)]


@pytest.mark.parametrize("true", ["utf-8", "gb18030", "utf-16", "utf-16-le", "big5", "utf-32"])
@pytest.mark.parametrize(
    "named", [None, "utf-8", "gb18030", "utf-16", "utf-16-be", "latin-1", "big5", "cp1252"]
)
def test_a_wrong_encoding_lets_nothing_through(
    tmp_path: Path, true: str, named: str | None
) -> None:
    """Whatever a file is and whatever the caller says it is: no name comes out in any reading."""
    # Words of an even number of characters: their UTF-8 bytes pair up and decode as GB 18030.
    text = "\n".join(["姓名,手机,备注,附言", *("欧阳小明,19012345679,交王小明代收,欧阳小明",) * 20])
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(text.encode(true, "replace"))
    words = ["--encoding", named] if named else []
    with suppress(InputError):
        run(source, target, *words)
    assert leaks(target, *CLEAR, "小明", "19012345679") == []


def test_rows_of_another_encoding_that_somebody_appended_are_refused(tmp_path: Path) -> None:
    """The bytes decode all the same: read as GB 18030 they are nonsense that can be turned back."""
    path = tmp_path / "in.csv"
    head = "姓名,手机,备注\n" + "张三,19012345678,放门口\n" * 50
    path.write_bytes(head.encode("gb18030") + "李四,19012345679,交王小明\n".encode())
    error = refusal(path)
    assert (error.message.code, dict(error.message.params)["row"]) == ("file-encoding", "52")


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"PK\x03\x04rest", "file-not-csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "file-not-csv"),
        (b"%PDF-1.7 rest", "file-not-csv"),
        (b"a\0,b\0\n\0", "file-not-csv"),
    ],
)
def test_what_is_no_csv_is_refused_by_what_it_is(tmp_path: Path, head: bytes, code: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(head)
    assert refusal(path).message.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("张三丰,男\n李四,女\n", "table-header-unrecognised"),
        ("姓名;手机\n张三丰;19012345678\n", "table-delimiter"),
        ("姓名\t手机\n张三丰\t19012345678\n", "table-delimiter"),
        ("姓名,＝1+1\n张三,1\n", "table-header-data"),
        ("姓名,190 1234 5678\n张三,1\n", "table-header-data"),
        (f"姓名,{'某' * 70}\n张三,1\n", "table-header-data"),
        ("\u200b姓名,姓名\ufeff\n张三,李四\n", "table-header-duplicate"),
    ],
)
def test_a_table_without_a_header_is_refused(tmp_path: Path, text: str, code: str) -> None:
    """A first row of data would leave as the header, in clear."""
    assert refusal(write(tmp_path, text)).message.code == code


def test_another_delimiter_is_read_when_it_is_named(tmp_path: Path) -> None:
    source = write(tmp_path, "姓名;手机\n张三丰;19012345678\n")
    run(source, tmp_path / "out.csv", "--delimiter", ";")
    assert (tmp_path / "out.csv").read_text("utf-8-sig") == "姓名,手机\n张**,*********78\n"


KEPT = [
    "19012345678", "190 1234 5678", "190.1234.5678", "１９０１２３４５６７８", "190\u200b12345678",
    "+86 190-1234-5678", "8619012345678", "一九零一二三四五六七八", "19O12345678",
    "1.9012345678E+10", "1️⃣9️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "回电19012345678谢谢", "0755-28123401",
    "+852 9123 4567", "440306209901011234", "44030620990101123X", "440306 20990101 1234",
    "440306990101123", "A123456(7)", "H12345678", "400-123-4567",
]  # fmt: skip


@pytest.mark.parametrize("cell", KEPT)
def test_a_number_in_a_kept_column_is_hidden_in_every_writing(tmp_path: Path, cell: str) -> None:
    """`keep` is said of a column; it is no promise about each of its cells."""
    source = write(tmp_path, f'姓名,编号\n张三,"{cell}"\n')
    run(source, tmp_path / "out.csv", "--column", "编号=keep")
    assert (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[1] == "张*,***"


@pytest.mark.parametrize(
    "cell", ["2026-03-02 13:45:11", "12345678901234567890", "3.1415926", "ba-xixiang-r03", "-12.50"]
)
def test_a_kept_cell_that_is_no_number_of_a_person_stays(tmp_path: Path, cell: str) -> None:
    source = write(tmp_path, f"姓名,编号\n张三,{cell}\n")
    run(source, tmp_path / "out.csv", "--column", "编号=keep")
    assert (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[1] == f"张*,{cell}"


@pytest.mark.parametrize(
    "cell", ["=1+1", "＝1+1", " =cmd|x", "\ufeff=1", "@SUM(A1)", "+cmd", "-cmd", "\t=1", "\r=1"]
)
def test_a_formula_never_leaves_as_one(tmp_path: Path, cell: str) -> None:
    source = write(tmp_path, f'姓名,甲,乙,手机\n张三,"{cell}","{cell}","{cell}"\n')
    run(source, tmp_path / "out.csv", "--column", "甲=keep", "--column", "乙=free_text")
    kept = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[1]
    assert kept == "张*,***,***,***"


def test_a_phone_shows_fewer_digits_where_its_row_s_city_has_few(tmp_path: Path) -> None:
    rows = ["手机,地址,城市", "19012345678,深圳市宝安区,", "19012345678,鄂州市鄂城区,",
            "19012345678,,三亚", "19012345678,幸福路3号,", "19012345678,,"]  # fmt: skip
    source = write(tmp_path, "\n".join(rows))
    run(source, tmp_path / "out.csv", profile="pickup")
    run(source, tmp_path / "city.csv", "--city", "鄂州", profile="pickup")
    shown = [
        [line.split(",")[0] for line in (tmp_path / name).read_text("utf-8-sig").splitlines()[1:]]
        for name in ("out.csv", "city.csv")
    ]
    assert shown[0] == [
        "*******5678", "*********78", "**********8", "*********78", "*******5678",
    ]  # fmt: skip
    assert shown[1][3:] == ["*********78", "*********78"]


def test_a_dry_run_reports_and_writes_nothing(tmp_path: Path) -> None:
    source = write(tmp_path, "\n".join([HEADER, *ROWS]))
    words = ["mask", "file", str(source), "--profile", "pickup", "--dry-run", "--format", "json"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert json.loads(done.output)["rows"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert CliRunner().invoke(cli, words[:5]).exit_code == 2


def test_what_cannot_be_written_is_said_of_the_output(tmp_path: Path) -> None:
    source = write(tmp_path, "姓名\n张三\n")
    with pytest.raises(InputError) as caught:
        run(source, tmp_path / "no-such-folder" / "out.csv")
    assert caught.value.message.code == "file-unwritable"
    assert "no-such-folder" in str(caught.value.where)


@pytest.mark.parametrize("name", ["out.ods", "out.XLS", "out.xlsm", "out.et"])
def test_no_csv_is_written_under_another_programs_name(tmp_path: Path, name: str) -> None:
    source = write(tmp_path, "姓名\n张三\n")
    with pytest.raises(InputError) as caught:
        run(source, tmp_path / name)
    assert caught.value.message.code == "file-format"
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "in.xlsx")
    monkeypatch.setattr(spreadsheets, "_UNPACKED_GB", 0)
    with pytest.raises(InputError) as caught:
        run(tmp_path / "in.xlsx", tmp_path / "out.csv")
    assert caught.value.message.code == "file-unpacked"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Rows are read, masked and written one at a time: ten times the rows, the same peak."""
    peaks = []
    for rows in (2_000, 20_000):
        source = write(tmp_path, "姓名,手机\n" + "张三丰,19012345678\n" * rows, name=f"{rows}.csv")
        tracemalloc.start()
        mask_file(source, tmp_path / f"{rows}.out.csv", "pickup", {})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 200_000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_one(tmp_path: Path, end: str) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(end.join(["姓名,手机", "张三丰,19012345678", ""]).encode())
    run(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[1] == "张**,*********78"


def test_a_file_of_one_endless_line_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two gigabytes without a line end are not read into memory."""
    monkeypatch.setattr(spreadsheets, "_LINE_LIMIT", 1000)
    assert refusal(write(tmp_path, "姓名\n" + "三" * 5000)).message.code == "file-csv"
