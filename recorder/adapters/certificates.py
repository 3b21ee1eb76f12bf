"""How the certificate of another machine is checked."""

import ssl
from pathlib import Path

from recorder.errors import ConfigurationError


def tls_of(ca_file: Path | None, setting: str) -> ssl.SSLContext:
    """Return how certificates are checked: always. Raises ``ConfigurationError``."""
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"{setting}: cannot be read as certificates ({type(error).__name__})"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
