"""Speaks a text with espeak-ng, for a start: an office replaces it by a human voice."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from recorder.adapters.sounds import read_sound
from recorder.announcements.rules import Sound
from recorder.errors import AnnouncementRefused, Unavailable

WORDS_PER_MINUTE = 175
"""Of espeak-ng's default; a person reads an announcement about as fast."""

VOICES = {"en": "en-gb"}
"""Languages whose voice is not called like them."""

LONGEST_RUN_S = 60.0
LONGEST_TEXT = 10_000
"""Characters; more would not fit the longest announcement anyway."""


def speak(text: str, *, language: str, words_per_minute: int) -> Sound:
    """Return ``text`` spoken in ``language``, fit for the telephone.

    Raises ``AnnouncementRefused`` for a text or language that cannot be spoken and
    ``Unavailable`` when espeak-ng is not there.
    """
    if len(text) > LONGEST_TEXT:
        raise AnnouncementRefused(f"the text is longer than {LONGEST_TEXT} characters")
    program = shutil.which("espeak-ng")
    if program is None:
        raise Unavailable("espeak-ng is not installed: apt install espeak-ng")
    with tempfile.TemporaryDirectory(prefix="recorder-speech-") as folder:
        spoken = Path(folder) / "spoken.wav"
        command = [program, "-b", "1", "-v", VOICES.get(language, language)]
        command += ["-s", str(words_per_minute), "-w", str(spoken), "--stdin"]
        try:
            # The text goes by standard input, where nothing in it can be an option.
            subprocess.run(  # noqa: S603 - a fixed program; language and speed are checked values
                command,
                input=text.encode(),
                check=True,
                capture_output=True,
                timeout=LONGEST_RUN_S,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise AnnouncementRefused(
                f"espeak-ng cannot speak '{language}'; `espeak-ng --voices` lists its languages"
            ) from error
        return read_sound(spoken)
