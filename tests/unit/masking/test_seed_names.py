"""The names and places of the simulated company are read by the maskers: nothing of them leaks in
a remark, and no area that a courier must find is hidden."""

from itertools import product
from pathlib import Path

import yaml

from acl_engine.domain.pack import Kind
from acl_engine.masking.mask import mask
from acl_engine.masking.surnames import COMPOUND, SINGLE

SEED = Path(__file__).parents[3] / "seeds" / "courier"
NAMES = yaml.safe_load((SEED / "names.yaml").read_text("utf-8"))
COMPANY = yaml.safe_load((SEED / "company.yaml").read_text("utf-8"))


def test_every_seeded_surname_is_known() -> None:
    assert set(NAMES["surnames"]) <= SINGLE
    assert set(NAMES["compound_surnames"]) <= COMPOUND


def test_no_seeded_name_survives_in_a_remark() -> None:
    given = NAMES["given"]
    for at, surname in enumerate([*NAMES["surnames"], *NAMES["compound_surnames"]]):
        name = surname + given[at % len(given)] + given[(7 * at + 3) % len(given)]
        masked = mask(Kind.FREE_TEXT, f"请联系{name}，谢谢", ["screen-strict"])
        assert masked == f"请联系{'*' * len(name)},谢谢"


def test_every_seeded_area_is_shown_and_every_room_hidden() -> None:
    streets = [one for unit in COMPANY["units"] for one in unit.get("streets", [])]
    for street, area in product(streets, COMPANY["area_names"]):
        place = f"深圳市宝安区{street}{area}"
        assert mask(Kind.ADDRESS, f"{place}3栋1203室", ["label-gbt41833"]) == f"{place}***"
        assert mask(Kind.ADDRESS, f"{street}{area}", ["screen-strict"]) == f"{street}{area}"
