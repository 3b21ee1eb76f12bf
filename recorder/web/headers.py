"""The headers of every response, errors included (A9)."""

from recorder.web.rules import Origin

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "media", "font", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing evaluated, nothing from another host (RG.19)."""

ALWAYS = {
    b"content-security-policy": CONTENT_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    # Not `no-referrer`: with it a browser says `Origin: null` of our own forms too.
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NOT_KEPT = b"no-store"
"""Of every answer that does not say otherwise: a browser keeps nothing personal."""

TWO_YEARS_S = 63_072_000


def headers_for(origin: Origin) -> dict[bytes, bytes]:
    """Return what every response carries, whatever else it says."""
    if not origin.secure:
        return ALWAYS
    return ALWAYS | {b"strict-transport-security": f"max-age={TWO_YEARS_S}".encode()}
