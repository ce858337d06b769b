"""People of the small synthetic company who log in over the wire, with the secrets of its seed."""

import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.cli.device_answer import answer
from acl_engine.identity.totp import code_at
from acl_engine.replay.theatre import SEED
from acl_engine.replay.world.company import NOW, device_key, strong_password, totp_secret
from tests.wire import Shown, WireBrowser

DEVICES = {"courier-88": "pda-88", "courier-89": "pda-89", "keeper-07": "pc-31", "cs-12": "pc-12",
           "sup-0413": "pc-22"}  # fmt: skip
OFFSET = int(NOW.timestamp()) - int(time.time())
WORLD_TIME = {"ACL_SERVE_CLOCK_OFFSET": str(OFFSET)}


# Seconds that a login may take on a busy machine.
_ON_ITS_WAY = 8


@dataclass
class Person:
    """One of the company's people. `used` is the step of the last code: one works once.

    `earliest` is the step of the first, counted from now's. Who types slowly, as a browser does,
    begins with now's own (0): the one before may have run out when it arrives. `later`: seconds by
    which the service's clock goes after the world's.
    """

    login: str
    used: int = 0
    earliest: int = -1
    later: int = 0

    def typed(self, challenge: str) -> dict[str, str]:
        """What they type into the login page, in time for its challenge."""
        device = DEVICES[self.login]
        key = Ed25519PrivateKey.from_private_bytes(device_key(SEED, device))
        return {
            "username": self.login,
            "password": strong_password(SEED, self.login),
            "code": self.code(),
            "answer": answer(key, device, challenge),
        }

    def code(self) -> str:
        """A code that was not used yet, of the step before, this one or the next: all are let in,
        so that three logins in a row wait for nothing. One that would run out on its way is passed
        over, and at a step's end the third login waits for the next step."""
        now = int(time.time()) + OFFSET + self.later
        step, gone = divmod(now, 30)
        earliest = max(self.earliest, 0) if gone >= 30 - _ON_ITS_WAY else self.earliest
        self.used = max(self.used + 1, step + earliest)
        if self.used == step + 2 and gone >= 30 - _ON_ITS_WAY:
            time.sleep(30 - gone)
            step += 1
        assert self.used <= step + 1, "more than three logins of one person at once"
        return code_at(totp_secret(SEED, self.login), self.used * 30)

    def log_in(self, browser: WireBrowser) -> Shown:
        """On the login page that the browser shows."""
        assert browser.shown is not None
        return browser.send(**self.typed(browser.shown.page.fields["lt"]))
