"""What the dialplan sends of a caller's data: base64, so that nothing of it can act. Pure."""

import base64
import binascii


def from_base64(value: object) -> str:
    """Return the text; what cannot be read is empty.

    >>> from_base64("NzQ2NjQwODAw"), from_base64("%%%"), from_base64(None)
    ('746640800', '', '')
    """
    if not isinstance(value, str):
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
