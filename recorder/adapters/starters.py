"""The announcements that ship with the program, read back from its package."""

import json
from importlib.resources import as_file, files

from recorder.adapters.sounds import read_sound
from recorder.announcements.service import Starter
from recorder.errors import AnnouncementRefused
from recorder.model import Layer


def load_starters() -> list[Starter]:
    """Return every starter. Raises ``AnnouncementRefused`` if one is not as it was shipped."""
    folder = files("recorder.announcements").joinpath("starters")
    manifest = json.loads(folder.joinpath("manifest.json").read_text("utf-8"))
    starters = []
    for entry in manifest["sounds"]:
        with as_file(folder.joinpath(entry["file"])) as path:
            sound = read_sound(path)
        if sound.sha256 != entry["sha256"]:
            raise AnnouncementRefused(f"{entry['file']} is not as it was shipped; install again")
        starters.append(
            Starter(
                layer=Layer(entry["layer"]),
                language=entry["language"],
                text=entry["text"],
                sound=sound,
                remark=entry["remark"],
            )
        )
    return starters
