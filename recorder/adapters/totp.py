"""Time-based one-time codes, and the picture that a telephone's camera reads."""

import hmac
import io
from datetime import datetime

import pyotp
import segno

from recorder.accounts.model import AccountId
from recorder.accounts.rules import TOTP_STEP_S
from recorder.adapters.factor_seal import FactorSeal, is_sealed, sealed_if_possible
from recorder.errors import KeyUnavailable

ISSUER = "Rejestrator"


class TotpBook:
    """See ``recorder.accounts.ports.CodeBook`` for the promises."""

    def __init__(self, seal: FactorSeal | None = None) -> None:
        self._seal = seal

    def new_secret(self) -> str:
        """Return a fresh secret of 160 bits, base32."""
        return pyotp.random_base32()

    def sealed(self, secret: str, account_id: AccountId) -> str:
        """Return what may be stored of it; the secret itself where there is no master key."""
        return secret if self._seal is None else self._seal.seal(secret, account_id)

    def opened(self, stored: str, account_id: AccountId) -> str:
        """Return the secret. Raises ``KeyUnavailable`` and ``ConfigurationError``."""
        if not is_sealed(stored):
            return stored
        if self._seal is None:
            raise KeyUnavailable(
                "second factors lie under the master key: set RECORDER_MASTER_KEY_FILE"
            )
        return self._seal.open(stored, account_id)

    def sealed_later(self, stored: str, account_id: AccountId) -> str | None:
        """Return a secret from before there was a seal, sealed; None = nothing to do."""
        return sealed_if_possible(self._seal, stored, account_id)

    def matching_steps(self, secret: str, code: str, now: datetime) -> list[int]:
        """Return the time steps, the present one and its neighbours, whose code this is."""
        totp = pyotp.TOTP(secret, interval=TOTP_STEP_S)
        given = "".join(code.split()).encode()
        present = int(now.timestamp()) // TOTP_STEP_S
        return [
            step
            for step in (present - 1, present, present + 1)
            if hmac.compare_digest(totp.generate_otp(step).encode(), given)
        ]


def enrolment_uri(secret: str, login: str) -> str:
    """Return what an authenticator application reads."""
    return pyotp.TOTP(secret, interval=TOTP_STEP_S).provisioning_uri(name=login, issuer_name=ISSUER)


def qr_for_terminal(uri: str) -> str:
    """Return the picture in characters, two rows of it in a line."""
    out = io.StringIO()
    segno.make(uri, error="m").terminal(out=out, compact=True)
    return out.getvalue()


def qr_svg(uri: str) -> str:
    """Return the picture as SVG for a page: no script, no style, no request to anybody."""
    return segno.make(uri, error="m").svg_inline(scale=4, border=4)
