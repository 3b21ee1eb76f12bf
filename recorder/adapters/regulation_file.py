"""Reads ``regulation.toml`` from disk."""

from pathlib import Path

from recorder.errors import ConfigurationError
from recorder.regulation import Regulation, parse_regulation


def load_regulation(path: Path) -> Regulation:
    """Return the office's regulation. Raises ``ConfigurationError`` saying what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the regulation cannot be read ({type(error).__name__}); "
            "RECORDER_REGULATION_FILE must name a readable TOML file"
        ) from error
    return parse_regulation(text, source=path.name)
