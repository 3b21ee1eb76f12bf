"""Reads the PBX's own call records, as ``dialplan/cdr_custom.conf`` has Asterisk write them.

``rejestrator-calls.csv``: start and end in seconds, channel, disposition, unique id. It holds no
number, so that it may be read where numbers may not. A folder holds the file of one Asterisk,
and the files that were set aside: ``rejestrator-calls.csv.1``, ``…csv-20261125``.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from recorder.capture.parties import endpoint_of
from recorder.completeness.model import PbxCall
from recorder.errors import PbxRecordsUnavailable

log = structlog.get_logger(__name__)

NAME = "rejestrator-calls.csv"
FIELDS = 5
ANSWERED = "ANSWERED"


class PbxRecordFiles:
    """See ``recorder.completeness.ports.PbxRecords`` for the promises.

    Asterisk opens its file anew for each record, so that a file can be renamed under it.
    """

    def __init__(self, folders: Sequence[Path], *, keep: timedelta) -> None:
        self._folders, self._keep = folders, keep

    def between(self, since: datetime, until: datetime) -> Sequence[PbxCall]:
        """Return records of calls that began between two instants."""
        return [
            each
            for folder in self._folders
            for path in _files(folder, since)
            for each in _records(path)
            if since <= each.started_at < until
        ]

    def turn(self, now: datetime) -> None:
        """Set aside what is of a day before, and remove what is older than may be kept (§ 7.2).

        In a folder that is not ours to write somebody else does: logrotate.
        """
        for folder in self._folders:
            with suppress(OSError):
                _set_aside(folder / NAME, now)
                for each in folder.glob(f"{NAME}?*"):
                    if each.stat().st_mtime < (now - self._keep).timestamp():
                        each.unlink(missing_ok=True)


def _set_aside(path: Path, now: datetime) -> None:
    try:
        first = next(iter(_records(path)), None)
    except PbxRecordsUnavailable:
        return
    if first is None or first.started_at.date() >= now.date():
        return
    turned = path.with_name(f"{NAME}-{first.started_at:%Y%m%d}")
    if not turned.exists():
        path.rename(turned)


def _files(folder: Path, since: datetime) -> list[Path]:
    """Return the files that may hold a record of then or later."""
    try:
        found = [each for each in folder.iterdir() if each.name.startswith(NAME)]
        recent = [each for each in found if each.stat().st_mtime >= since.timestamp()]
    except OSError as error:
        raise PbxRecordsUnavailable(
            f"the PBX's call records cannot be read ({error.strerror}): {folder}"
        ) from error
    if not found:
        # An Asterisk that has ended no call yet has no file; neither has one that writes none.
        log.info("pbx_records_none_yet")
    return recent


def _records(path: Path) -> Iterator[PbxCall]:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            # A byte that is none of text would end the reading of all that follows.
            for fields in csv.reader(each.replace("\0", "") for each in lines):
                if (record := _record(fields)) is not None:
                    yield record
    except (OSError, csv.Error) as error:
        raise PbxRecordsUnavailable(
            f"the PBX's call records cannot be read ({type(error).__name__}): {path}"
        ) from error


def _record(fields: Sequence[str]) -> PbxCall | None:
    """Return one record; None for a torn or foreign line."""
    if len(fields) != FIELDS:
        return None
    start, end, channel, disposition, unique_id = fields
    try:
        started_at = datetime.fromtimestamp(float(start), UTC)
        ended_at = datetime.fromtimestamp(float(end), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return PbxCall(
        channel_id=unique_id,
        endpoint=endpoint_of(channel),
        started_at=started_at,
        ended_at=ended_at,
        answered=disposition == ANSWERED,
    )
