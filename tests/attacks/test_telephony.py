"""The vendor's adapter against its interface on this machine: what is not a success is a refusal,
and no number goes anywhere but to the vendor."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.line_world import Line
from tests.local_npp import APP, ID, KEY, Vendor, X, vendor

from acl_engine.bootstrap.outbound import HttpsOutbound
from acl_engine.bootstrap.provider import NoProvider
from acl_engine.bootstrap.settings import Telephony
from acl_engine.bootstrap.telephony import Rounds, provider_of
from acl_engine.bootstrap.tencent_npp import NppAccount, TencentNpp
from acl_engine.bootstrap.tencent_signature import authorization
from acl_engine.domain.calls import Ends
from acl_engine.domain.errors import ConfigError, StoreError
from acl_engine.domain.request import Query

OURS, THEIRS = "19012340001", "19012345678"
LINES = {"pda-88": OURS}
ACCOUNT = NppAccount(APP, ID, KEY, LINES)
ENDS = Ends("pda-88", THEIRS, 4_000_000_000, True, 10)


@pytest.fixture
def there() -> Iterator[Vendor]:
    with vendor() as made:
        yield made


def npp(there: Vendor, account: NppAccount = ACCOUNT, seconds: float = 5) -> TencentNpp:
    return TencentNpp(account, HttpsOutbound(None, seconds), there.url)


def test_the_signature_is_that_of_the_published_example() -> None:
    """The worked example of the vendor's documentation of signature method v3."""
    body = (
        b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    )
    made = authorization(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "https://cvm.tencentcloudapi.com",
        body,
        1551113065,
    )
    assert made.endswith("72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")


def test_bound_rung_and_let_go(there: Vendor) -> None:
    """Both ends are rung, the contact sees the intermediate number, nothing is recorded."""
    provider = npp(there)
    reference = provider.bind(ENDS)
    assert provider.call(reference, ENDS) == "placed"
    provider.unbind(reference)
    (bind, bound), (ring, rung), (free, freed) = there.asked
    assert (bind, ring, free) == ("GetVirtualNum", "CreateCallBack", "DelVirtualNum")
    assert bound["Src"] == rung["Src"] == f"0086{OURS}"
    assert bound["Dst"] == rung["Dst"] == f"0086{THEIRS}"
    assert bound["Record"] == rung["Record"] == "0"
    assert bound["MaxAssignTime"] == str(168 * 3600)  # the longest that the vendor takes
    assert (rung["DstDisplayNum"], rung["MaxAllowTime"]) == (X, "10")
    assert freed["BindId"] == reference.split("/")[0]
    assert there.bound == {}
    assert OURS not in reference
    assert THEIRS not in reference


def test_one_way_binds_nothing(there: Vendor) -> None:
    """Without calling back there is nothing that could outlive the call."""
    provider, one_way = npp(there), replace(ENDS, both_ways=False)
    reference = provider.bind(one_way)
    assert provider.call(reference, one_way) == "placed"
    provider.unbind(reference)
    assert [action for action, _ in there.asked] == ["CreateCallBack"]


def said(**response: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"Response": response}).encode()


WRONG = {
    "an error code": (said(ErrorCode="107", Msg=f"{THEIRS} is barred"), "107"),
    "an error": (said(Error={"Code": "LimitExceeded", "Message": THEIRS}), "LimitExceeded"),
    "a number as the code": (said(ErrorCode=THEIRS), "?"),
    "another status": ((503, b"busy"), "http-503"),
    "a redirect": ((302, b""), "http-302"),
    "no JSON": ((200, b"<html>"), "unreadable"),
    "another JSON": ((200, b'["Response"]'), "unreadable"),
    "an error that is none": (said(Error="x"), "unreadable"),
    "no code at all": (said(BindId="b-1", VirtualNum=X), "unreadable"),
    "no binding": (said(ErrorCode="0"), "no-binding"),
    "a binding that is no word": (said(ErrorCode="0", BindId="../x", VirtualNum=X), "no-binding"),
    "too long": ((200, b" " * 70_000), "no-answer"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_success_is_a_refusal(there: Vendor, name: str) -> None:
    """And says the code alone: what the vendor wrote may quote a number."""
    answer, code = WRONG[name]
    there.answers["GetVirtualNum"] = answer
    with pytest.raises(StoreError) as caught:
        npp(there).bind(ENDS)
    assert dict(caught.value.message.params)["code"] == code
    assert THEIRS not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_wrong_secret_is_refused_by_the_vendor(there: Vendor) -> None:
    """The vendor of these tests does check: what it answers elsewhere is to a true signature."""
    with pytest.raises(StoreError) as caught:
        npp(there, replace(ACCOUNT, secret_key="another")).bind(ENDS)
    assert dict(caught.value.message.params)["code"] == "AuthFailure.SignatureFailure"


def test_no_answer_in_time(there: Vendor) -> None:
    there.slow = 5
    with pytest.raises(StoreError) as caught:
        npp(there, seconds=0.2).bind(ENDS)
    assert dict(caught.value.message.params)["code"] == "no-answer"


def test_nobody_there() -> None:
    with vendor() as gone:
        pass
    with pytest.raises(StoreError):
        npp(gone).bind(ENDS)


@pytest.mark.parametrize(
    "ends",
    [replace(ENDS, device="pda-9"), replace(ENDS, device=None), replace(ENDS, number="-"),
     replace(ENDS, number=f"{THEIRS}转12"), replace(ENDS, number="+852 51234567")],
)  # fmt: skip
def test_an_end_that_cannot_be_rung(there: Vendor, ends: Ends) -> None:
    """A device without a line of the company, or a number that its form has no room for."""
    with pytest.raises(StoreError) as caught:
        npp(there).bind(ends)
    assert caught.value.message.code == "dial.no-line"
    assert there.asked == []


# --- the whole line over it -----------------------------------------------------------------------


@pytest.fixture
def ringing(line: Line, there: Vendor) -> Line:
    line.lie("provider", lambda _: npp(there))
    return line


def test_a_courier_calls_and_the_delivery_unbinds(
    ringing: Line, there: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    """From the click to the end of the stage; the numbers are in the vendor's requests alone."""
    caplog.set_level(logging.DEBUG)
    token = ringing.token("courier-88", "pda-88")
    right = ringing.engine.dial(token, Query("dial", "waybill", key=ringing.key("load-1")))
    done = ringing.engine.call(token, right.token)
    assert done.outcome == "placed"
    parcel = ringing.stage.truth.by_name["load-1"]
    assert there.asked[0][1]["Dst"].endswith(parcel.fields["recipient_phone"])
    assert Rounds(ringing.engine).round() == 0
    with ringing.stage.database.write() as cx:
        query = text("UPDATE waybills SET stage = 'DELIVERED' WHERE waybill_no = :key")
        cx.execute(query, {"key": ringing.key("load-1")})
    assert Rounds(ringing.engine).round() == 1
    assert there.bound == {}
    with ringing.stage.database.read() as cx:
        kept = [str(row) for t in ("dial_bindings", "call_records", "dial_capabilities",
                "audit_records") for row in cx.execute(text(f"SELECT * FROM {t}"))]  # fmt: skip
    everything = "\n".join([caplog.text, repr(right), repr(done), *kept])
    assert "bind-1" in everything
    for number in (parcel.fields["recipient_phone"], OURS):
        assert number not in everything


def test_the_vendor_says_no_and_nobody_is_bound(ringing: Line, there: Vendor) -> None:
    there.answers["GetVirtualNum"] = said(ErrorCode="107", Msg="no numbers left")
    token = ringing.token("courier-88", "pda-88")
    with pytest.raises(StoreError):
        ringing.engine.dial(token, Query("dial", "waybill", key=ringing.key("load-1")))
    with ringing.stage.database.read() as cx:
        assert cx.execute(text("SELECT count(*) FROM dial_capabilities")).scalar_one() == 0


# --- the settings ---------------------------------------------------------------------------------


def account_file(folder: Path, mode: int = 0o600, **changed: Any) -> str:
    values = {"schema": "acl-telephony/1", "app_id": APP, "secret_id": ID, "secret_key": KEY}
    path = folder / "account.yaml"
    path.write_text(json.dumps({**values, "lines": LINES, **changed}), "utf-8")
    path.chmod(mode)
    return str(path)


def chosen(folder: Path, there: Vendor, **changed: Any) -> Telephony:
    return Telephony("tencent-npp", account_file(folder, **changed), there.url)


def test_settings_give_the_vendor(tmp_path: Path, there: Vendor) -> None:
    provider = provider_of(chosen(tmp_path, there), synthetic=True).provider
    assert provider is not None
    assert provider.bind(ENDS).startswith("bind-")
    assert provider_of(Telephony(), synthetic=False).provider is None
    assert isinstance(provider_of(Telephony("none"), synthetic=True).provider, NoProvider)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"mode": 0o644}, "telephony.open-file"),
        ({"lines": {"pda-88": "12"}}, "telephony.bad-line"),
        ({"lines": {"pda-88": f"{OURS}转9"}}, "telephony.bad-line"),
        ({"secret_key": None}, "yaml.wrong-kind"),
        ({"more": 1}, "yaml.unknown-key"),
    ],
)
def test_a_wrong_account_stops_the_start(
    tmp_path: Path, there: Vendor, changed: Any, code: str
) -> None:
    """With the place, and neither the secret nor a number."""
    with pytest.raises(ConfigError) as caught:
        provider_of(chosen(tmp_path, there, **changed), synthetic=True)
    assert caught.value.message.code == code
    assert KEY not in str(caught.value)
    assert OURS not in str(caught.value)


def test_what_is_missing_stops_the_start(tmp_path: Path, there: Vendor) -> None:
    """A vendor without an account, an account without a vendor, a synthetic world that would ring
    real telephones."""
    held = account_file(tmp_path)
    for wrong in (
        Telephony("tencent-npp"),
        Telephony("tencent-npp", held),
        Telephony(account_file=held),
        Telephony("tencent-npp", str(tmp_path / "none.yaml"), there.url),
    ):
        with pytest.raises(ConfigError):
            provider_of(wrong, synthetic=True)


REAL = (
    "https://npp.tencentcloudapi.com",
    "https://localhost.example",
    "https://127.0.0.1@npp.tencentcloudapi.com",
)
CLEAR = (
    "http://npp.tencentcloudapi.com",
    "npp.tencentcloudapi.com",
    "file:///etc/passwd",
    "https:",
)
ELSEWHERE = ("https://127.0.0.1@npp.tencentcloudapi.com", "https://vendor.example/?to=")


@pytest.mark.parametrize(
    ("endpoint", "synthetic"),
    [*((one, True) for one in REAL), *((one, False) for one in (*CLEAR, *ELSEWHERE))],
)
def test_numbers_go_to_the_vendor_over_tls_and_made_up_ones_to_this_machine(
    tmp_path: Path, endpoint: str, synthetic: bool
) -> None:
    """A synthetic world's numbers may be somebody's: it rings none, whatever address is typed. An
    address that would be called in clear, or is not what it looks like, stops the start."""
    settings = Telephony("tencent-npp", account_file(tmp_path), endpoint)
    with pytest.raises(ConfigError):
        provider_of(settings, synthetic=synthetic)
