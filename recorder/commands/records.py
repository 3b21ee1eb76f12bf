"""The groups of commands about calls and recordings, for mounting."""

from recorder.commands.calls import app as calls
from recorder.commands.recordings import app as recordings

__all__ = ("calls", "recordings")
