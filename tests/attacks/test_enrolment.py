"""Attacks on enrolment by page: who starts it, who ends it, and with what. On both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.account_world import KEYSET
from tests.identity_world import (
    KEYS,
    PASSWORD,
    PASSWORDS,
    SEED,
    STRICT,
    Hand,
    fill,
)

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.enrolling import Enrolling, Offer
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import (
    AccessDenied,
    ChangeRefused,
    InputError,
    LoginRefused,
    SessionDead,
)
from acl_engine.identity.devices import sign
from acl_engine.identity.recovery import new_code
from acl_engine.identity.standing import NOTHING_ASKED
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import code_at
from acl_engine.storage.database import Database
from acl_engine.storage.factors import SqlFactors
from acl_engine.storage.tables import (
    accounts,
    devices,
    enrolments,
    login_tries,
    recovery_codes,
)

NEW = "five loud geese fly"
NOBODY = ("", "")


class Bench:
    """An administrator, and courier-1 with pda-1, who is logged in."""

    def __init__(self, database: Database) -> None:
        fill(database)
        self.hand = Hand(database, STRICT)
        self.log: list[AuditEntry] = []
        desk = Desk.over(database, KEYSET, self.hand, NOTHING_ASKED)
        self.desk = replace(desk, audit=self.log.append)
        self.acts = Administration(self.desk, PASSWORDS)
        made = Enrolling.over(database, self.desk, STRICT, PASSWORDS)
        self.enrolling = replace(made, throttle=self.hand.throttle)

    def start(self, login: str = "courier-1", minutes: int = 30) -> str:
        return self.enrolling.start(login, "admin", minutes)

    def proof(self, device: str = "pda-1") -> DeviceProof:
        return sign(KEYS[device], device, self.hand.logins.challenge(device))

    def begin(self, code: str, password: str = PASSWORD, device: str | None = "pda-1") -> Offer:
        return self.enrolling.begin(code, password, self.proof(device) if device else None)

    def shown(self, offer: Offer) -> str:
        return code_at(offer.seed, self.hand.epoch)

    def confirm(
        self, code: str, offer: Offer, typed: str | None = None, new: tuple[str, str] = NOBODY
    ) -> tuple[str, ...]:
        return self.enrolling.confirm(code, offer.sealed, typed or self.shown(offer), new)

    def refused(self, code: str, **shown: object) -> tuple[str, str]:
        """What was told but for the request's id, and what is on record."""
        before = self.seed()
        with pytest.raises(AccessDenied) as caught:
            self.begin(code, **shown)  # type: ignore[arg-type]
        assert self.seed() == before
        denied = caught.value
        assert self.log[-1].request == denied.request_id
        assert (self.log[-1].effect, self.log[-1].action) == ("deny", "account.enrol-totp")
        return denied.render("en").replace(denied.request_id, ""), self.log[-1].reason

    def seed(self, login: str = "courier-1") -> bytes | None:
        with self.hand.database.read() as cx:
            query = select(accounts.c.totp_seed).where(accounts.c.login == login)
            found: bytes | None = cx.scalar(query)
        return found


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def test_a_person_sets_up_another_authenticator(bench: Bench) -> None:
    """Its codes open the account from then on, the old ones do not; the live session is over."""
    token = bench.hand.login()
    code = bench.start()
    bench.hand.sessions.resolve(token)  # to start it takes nothing away
    offer = bench.begin(code.lower().replace("-", " "))
    assert (offer.login, offer.chooses) == ("courier-1", False)
    codes = bench.confirm(code, offer)
    with pytest.raises(SessionDead):
        bench.hand.sessions.resolve(token)
    bench.hand.later(seconds=30)
    with pytest.raises(LoginRefused):
        bench.hand.login(code=code_at(SEED, bench.hand.epoch))
    bench.hand.login(code=bench.shown(offer))
    bench.hand.later(seconds=30)
    bench.hand.login(code=codes[0])
    acts = [(one.action, one.account) for one in bench.log]
    assert acts == [
        ("account.without-administrator", "admin"),  # nobody administers this little company
        ("account.start-enrolment", "admin"),
        ("account.recovery-codes", "courier-1"),
        ("account.enrol-totp", "courier-1"),
    ]


def test_the_first_password_is_chosen_with_it(bench: Bench) -> None:
    """After a reset there is none: it is chosen under the rules; a slip leaves all as it was."""
    bench.acts.secrets.reset("courier-1", "admin")
    code = bench.start()
    offer = bench.begin(code, "")
    assert offer.chooses
    for new, wanted in (
        (("short", "short"), "password-too-short"),
        ((NEW, NEW + "!"), "enrolling.passwords-differ"),
        (NOBODY, "password-too-short"),
    ):
        with pytest.raises(InputError) as caught:
            bench.confirm(code, offer, new=new)
        assert caught.value.message.code == wanted
        assert bench.seed() is None
    bench.confirm(code, bench.enrolling.offered(code, offer.sealed), new=(NEW, NEW))
    bench.hand.later(seconds=30)
    bench.hand.login(password=NEW, code=bench.shown(offer))


def test_the_code_that_enrols_is_used_up(bench: Bench) -> None:
    """Whoever watched it being typed cannot log in with it (RFC 6238, 5.2)."""
    code = bench.start()
    offer = bench.begin(code)
    bench.confirm(code, offer)
    with pytest.raises(LoginRefused) as caught:
        bench.hand.login(code=bench.shown(offer))
    assert caught.value.attempt.refusal.code == "code-used"


def test_a_code_is_good_once_and_the_newest_alone(bench: Bench) -> None:
    older = bench.start()
    code = bench.start()
    told = [bench.refused(older)]
    offer = bench.begin(code)
    other = bench.begin(code)
    bench.confirm(code, offer)
    told.append(bench.refused(code))
    with pytest.raises(AccessDenied):
        bench.confirm(code, other)
    assert bench.seed() is not None
    bench.hand.later(seconds=30)
    bench.hand.login(code=bench.shown(offer))
    told.append(bench.refused("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"))
    told.append(bench.refused("made up"))
    late = bench.start(minutes=5)
    bench.hand.later(minutes=5)
    told.append(bench.refused(late))
    assert len({text for text, _ in told}) == 1
    assert {reason for _, reason in told} == {"enrolment-unknown"}


def test_who_started_it_cannot_end_it(bench: Bench) -> None:
    """The code alone does nothing: not without the password, nor without the person's device."""
    code = bench.start()
    assert bench.refused(code, password="guessed by the admin")[1] == "password-wrong"
    for device in (None, "pda-2", "pda-stray"):
        assert bench.refused(code, device=device)[1] == "device-not-proven"
    bench.acts.secrets.reset("courier-1", "admin")
    code = bench.start()
    assert bench.refused(code, password="", device=None)[1] == "device-not-proven"
    assert bench.begin(code, "").chooses


def test_a_device_past_its_lease_or_that_only_signs_for_others(bench: Bench) -> None:
    code = bench.start()
    for values in ({"lease_until": bench.hand.epoch}, {"device_class": "adapter"}):
        before = {"lease_until": bench.hand.epoch + 3600, "device_class": "app"}
        bench.hand.change(devices, devices.c.id == "pda-1", **values)
        assert bench.refused(code)[1] == "device-not-proven"
        bench.hand.change(devices, devices.c.id == "pda-1", **before)
    bench.begin(code)


@pytest.mark.parametrize("path", ["reset", "suspend", "leave", "password"])
def test_what_changes_the_account_ends_its_enrolment(bench: Bench, path: str) -> None:
    """It is dead with the epoch, also between the offer and its confirmation."""
    code = bench.start()
    offer = bench.begin(code)
    secrets = bench.acts.secrets
    {
        "reset": lambda: secrets.reset("courier-1", "admin"),
        "suspend": lambda: bench.acts.suspend("courier-1", "admin"),
        "leave": lambda: bench.acts.leave("p1", "admin"),
        "password": lambda: secrets.set_password("courier-1", NEW),
    }[path]()
    assert bench.refused(code, password=NEW)[1] == "enrolment-unknown"
    before = bench.seed()
    with pytest.raises(AccessDenied):
        bench.confirm(code, offer)
    assert bench.seed() == before


def test_a_seed_that_was_not_offered_for_it(bench: Bench) -> None:
    """Nobody brings a seed of their own, or another's offer, or a stored seed."""
    mine, theirs = bench.start(), bench.start("courier-2")
    other = bench.enrolling.begin(theirs, PASSWORD, bench.proof("pda-2"))
    own = bench.begin(mine)
    for sealed in (other.sealed, "", "AAAA", own.sealed[:-8] + "AAAAAAA="):
        before = bench.seed()
        with pytest.raises(AccessDenied):
            bench.enrolling.confirm(mine, sealed, bench.shown(other), NOBODY)
        assert bench.log[-1].reason == "enrolment-not-offered"
        assert bench.seed() == before
    bench.confirm(mine, own)


def test_guessing_the_password_behind_a_code_locks_as_at_the_login(bench: Bench) -> None:
    code = bench.start()
    for _ in range(STRICT.max_failures):
        assert bench.refused(code, password="wrong")[1] == "password-wrong"
    assert bench.refused(code)[1] == "account-locked"
    bench.hand.later(minutes=STRICT.lock_minutes)
    bench.begin(code)


def test_guessed_codes_leave_nothing_behind(bench: Bench) -> None:
    """No bucket is kept for a code that nobody was given: a flood of them would fill the table."""
    shared = SqlFactors(bench.hand.database)
    throttle = Throttle(shared=shared, clock=bench.hand)
    bench.enrolling = replace(bench.enrolling, throttle=throttle)

    def kept() -> int:
        with bench.hand.database.read() as cx:
            return len(cx.execute(select(login_tries)).all())

    for _ in range(5):
        assert bench.refused(new_code())[1] == "enrolment-unknown"
    assert kept() == 0
    bench.begin(bench.start())
    assert kept() == 1


def test_a_flood_behind_one_code_is_throttled(bench: Bench) -> None:
    code = bench.start()
    reasons = [bench.refused(code, device=None)[1] for _ in range(25)]
    assert reasons[0] == "device-not-proven"
    assert reasons[-1] == "throttled"


def test_who_may_start_one(bench: Bench) -> None:
    """Administrators, not for themselves; never for a service, nobody, or who has left."""
    bench.hand.change(accounts, accounts.c.login == "courier-2", role="account_admin")
    with pytest.raises(ChangeRefused):
        bench.enrolling.start("courier-2", "courier-2", 30)
    with pytest.raises(ChangeRefused):
        bench.enrolling.start("courier-1", "weak-1", 30)
    for login in ("svc-dial", "nobody-1"):
        with pytest.raises(InputError):
            bench.enrolling.start(login, "courier-2", 30)
    bench.acts.leave("p1", "courier-2")
    with pytest.raises(ChangeRefused):
        bench.enrolling.start("courier-1", "courier-2", 30)
    with bench.hand.database.read() as cx:
        assert cx.execute(select(enrolments)).first() is None


def test_a_stolen_database_ends_no_enrolment(bench: Bench) -> None:
    """What is stored of a code is a digest, which is no code; so of the recovery codes."""
    code = bench.start()
    with bench.hand.database.read() as cx:
        row = cx.execute(select(enrolments)).one()
    assert code.replace("-", "") not in str(row)
    assert bench.refused(row.token_hash)[1] == "enrolment-unknown"
    codes = bench.confirm(code, bench.begin(code))
    with bench.hand.database.read() as cx:
        stored = "".join(one.code_hash for one in cx.execute(select(recovery_codes)))
    assert not any(one.replace("-", "").lower() in stored for one in codes)
