"""What this release's dialplan is, by a digest of each extension. A test compares it. Pure."""

import hashlib

CONTEXT = "recorder"
EXTENSIONS: dict[str, str] = {
    "inbound": "6410929b5198c1ec",
    "_decided!": "3c81765d26fcf749",
    "quality": "a8f7c481dc0d48fa",
    "_more!": "b2ef85dc89dd742d",
    "T": "26c7824414948faa",
    "h": "891433f7d9b0197a",
    "leaving": "be88e1037a3118a6",
    "codes": "4bb961d87ad3cc12",
    "order": "f2c2b27892f7fa10",
}
FEATURES = frozenset({"recorder_pause", "recorder_resume", "recorder_stop", "recorder_discard"})


def digest(steps: str) -> str:
    """Return what an extension's steps are told apart by."""
    return hashlib.sha256(steps.encode()).hexdigest()[:16]
