"""A table masked row by row: which column is what, and what of each cell may leave.

INVARIANTS
- A column leaves in clear only when it was declared `keep`; what nobody declared is masked as free
  text. A kept cell that holds a phone or an identity number is hidden all the same.
- A cell that a spreadsheet would run as a formula is hidden.
- A row that does not fit the header is refused with its number; nothing is guessed. A first row of
  which no cell is known as a header is data, and is refused.
- A phone shows no more digits than its row's city can afford.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Kind
from acl_engine.domain.text import Text
from acl_engine.masking import address
from acl_engine.masking.mask import mask
from acl_engine.masking.outgoing import FORMULA, runs_as_formula
from acl_engine.masking.profiles import profile as find_profile
from acl_engine.masking.shape import ALL_HIDDEN, clean
from acl_engine.masking.suspect import holds_number, looks_personal

KEEP = "keep"

NO_HEADER = Text(
    "table-header-empty",
    "第 {column} 列没有表头",
    "column {column} has no header",
    "补上表头",
    "give every column a header",
)
DUPLICATE = Text(
    "table-header-duplicate",
    "表头第 {column} 列与前面的列重名",
    "column {column} has the header of an earlier column",
    "给每一列不同的名称",
    "give every column a name of its own",
)
NO_HEADERS = Text(
    "table-header-unrecognised",
    "第一行没有一格是认得的表头",
    "no cell of the first row is known as a header",
    "第一行必须是表头；若是，用 --column 表头=类型 声明",
    "the first row must be the header; if it is, declare columns with --column HEADER=KIND",
)
DELIMITER = Text(
    "table-delimiter",
    "整行只有一列，且含有 `{sign}`",
    "the header is one cell and holds `{sign}`",
    "用 --delimiter 指明分隔符",
    "name the sign between cells with --delimiter",
)
DATA_IN_HEADER = Text(
    "table-header-data",
    "表头第 {column} 列看起来是数据或公式",
    "the header of column {column} looks like data or a formula",
    "第一行必须是表头",
    "the first row must be the header",
)
UNKNOWN_COLUMN = Text(
    "table-column-unknown",
    "表中没有列 `{column}`",
    "the table has no column `{column}`",
    "检查 --column 的写法",
    "check what --column names",
)
UNKNOWN_KIND = Text(
    "table-kind-unknown",
    "列 `{column}` 的类型 `{kind}` 不存在",
    "column `{column}` is declared as `{kind}`, which is no kind",
    "可用：{known}",
    "known: {known}",
)
WRONG_WIDTH = Text(
    "table-row-width",
    "第 {row} 行有 {found} 列，表头有 {wanted} 列",
    "row {row} has {found} cells, the header has {wanted}",
    "补齐或删除多余的单元格",
    "mend the row: nothing was written",
)

# What a header says by itself; anything else must be declared.
_HEADERS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (Kind.PLAIN, r"出生|生日|银行卡|账号|密码|邮箱|微信|qq|email|birth|account|password"),
        (Kind.ID_NUMBER, r"身份证|证件号|护照|通行证|id[ _-]?(number|card|no)"),
        (Kind.PHONE, r"电话|手机|联系方式|座机|phone|mobile|tel"),
        (Kind.ADDRESS, r"地址|住址|户籍|住所|房号|室号|门牌|address"),
        (Kind.PLATE, r"车牌|plate"),
        (Kind.CODE, r"运单|面单|单号|取件码|waybill|tracking"),
        (Kind.MONEY, r"金额|价格|费用|收入|amount|price|income"),
        (Kind.FREE_TEXT, r"备注|留言|说明|remark|note|comment"),
        (Kind.NAME, r"姓名|名字|收件人|寄件人|联系人|收货人|申请人|name|recipient|sender|contact"),
    )
)
_CITY = re.compile(r"城市|所在市|city", re.IGNORECASE)
_LONGEST_HEADER = 64
_FIGURES = re.compile(r"\d{5}")
_DELIMITERS = (";", "\t", "|")


@dataclass(slots=True)
class Column:
    """One column and what was done to it. `looked_personal` counts cells of a column that nobody
    declared (or that was to be kept) which look like personal data."""

    name: str
    kind: Kind | None  # None: kept
    declared: bool
    cells: int = 0
    hidden: int = 0
    looked_personal: int = 0
    formulas: int = 0


@dataclass(slots=True)
class TableMask:
    """Masks the rows of one table. Make it with `of`."""

    columns: tuple[Column, ...]
    profile: str
    city: str | None = None
    rows: int = 0
    _phones: bool = False
    _places: tuple[tuple[int, bool], ...] = ()  # columns that name a city: as an address, or alone

    @classmethod
    def of(
        cls,
        header: Sequence[str],
        declared: Mapping[str, str],
        profile: str,
        city: str | None = None,
    ) -> "TableMask":
        """Read the header. `declared`: column -> kind or `keep`. Raises InputError.

        `city`: where the people of the table are; a row that names a city of its own overrides it.
        """
        find_profile(profile)
        names = [clean(name) for name in header]
        check_header(names, header)
        wanted = {clean(name): kind for name, kind in declared.items()}
        for name in wanted:
            if name not in names:
                raise InputError(UNKNOWN_COLUMN.of(column=name))
        columns = tuple(_column(name, wanted.get(name)) for name in names)
        if not any(column.declared for column in columns):
            raise InputError(NO_HEADERS.of())
        places = tuple(
            (at, column.kind is Kind.ADDRESS)
            for at, column in enumerate(columns)
            if column.kind is Kind.ADDRESS or _CITY.search(column.name)
        )
        phones = any(column.kind is Kind.PHONE for column in columns)
        return cls(columns, profile, city, _phones=phones, _places=places)

    def row(self, cells: Sequence[str], number: int) -> list[str]:
        """One masked row. `number` is its place in the file, for the refusal."""
        if len(cells) != len(self.columns):
            wanted = len(self.columns)
            raise InputError(WRONG_WIDTH.of(row=number, found=len(cells), wanted=wanted))
        self.rows += 1
        cities = self._cities(cells) if self._phones else ()
        return [
            self._cell(column, cell, cities) if cell else cell
            for column, cell in zip(self.columns, cells, strict=True)
        ]

    def _cities(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Where the row's people are; '' for an address whose city is not recognised."""
        named = [
            address.city(cells[at]) if whole else clean(cells[at])
            for at, whole in self._places
            if cells[at]
        ]
        known = tuple(one for one in named if one)
        if known:
            return known
        if self.city is not None:
            return (self.city,)
        return ("",) if named else ()

    def _cell(self, column: Column, cell: str, cities: tuple[str, ...]) -> str:
        column.cells += 1
        if column.kind is None:
            shown = self._kept(column, cell)
        else:
            shown = mask(column.kind, cell, (self.profile,), cities)
            if not column.declared and looks_personal(clean(cell)):
                column.looked_personal += 1
        if runs_as_formula(shown):
            shown = self._defused(column, shown)
        column.hidden += shown == ALL_HIDDEN
        return shown

    def _kept(self, column: Column, cell: str) -> str:
        text = clean(cell)
        column.looked_personal += looks_personal(text)
        return ALL_HIDDEN if holds_number(text) else cell

    def _defused(self, column: Column, shown: str) -> str:
        if column.kind in (None, Kind.FREE_TEXT):
            column.formulas += 1
            return ALL_HIDDEN
        return "'" + shown  # `+***-******67`: a mask, to be read as text


def check_header(names: Sequence[str], header: Sequence[str]) -> None:
    """Raises InputError for a first row that cannot be a header. `names`: its cells, cleaned."""
    if len(header) == 1:
        for sign in _DELIMITERS:
            if sign in header[0]:
                raise InputError(DELIMITER.of(sign="tab" if sign == "\t" else sign))
    for at, name in enumerate(names, 1):
        if not name:
            raise InputError(NO_HEADER.of(column=at))
        looks_data = _FIGURES.search(name) or len(name) > _LONGEST_HEADER or holds_number(name)
        if looks_data or name.startswith(FORMULA):
            raise InputError(DATA_IN_HEADER.of(column=at))
        if name in names[: at - 1]:
            raise InputError(DUPLICATE.of(column=at))


def _column(name: str, declared: str | None) -> Column:
    if declared == KEEP:
        return Column(name, None, declared=True)
    if declared is not None:
        if declared not in list(Kind):
            known = ", ".join([*Kind, KEEP])
            raise InputError(UNKNOWN_KIND.of(column=name, kind=declared, known=known))
        return Column(name, Kind(declared), declared=True)
    for kind, pattern in _HEADERS:
        if pattern.search(name):
            return Column(name, kind, declared=True)
    return Column(name, Kind.FREE_TEXT, declared=False)
