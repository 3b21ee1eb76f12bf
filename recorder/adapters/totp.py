"""Time-based one-time codes, and the picture that a telephone's camera reads."""

import hmac
import io
from datetime import datetime

import pyotp
import segno

from recorder.accounts.rules import TOTP_STEP_S

ISSUER = "Rejestrator"


class TotpBook:
    """See ``recorder.accounts.ports.CodeBook`` for the promises."""

    def new_secret(self) -> str:
        """Return a fresh secret of 160 bits, base32."""
        return pyotp.random_base32()

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
