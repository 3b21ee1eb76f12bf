"""Do Asterisk and capture see the same folders, and may each do there what it must? Pure."""

import stat
from collections.abc import Iterator, Sequence

from recorder.pbx.model import ByMachine, Check, Folder, Grade, Learnt, Place

READ, WRITE, ENTER = 4, 2, 1
SPOOL_MODE = "chown recorder:asterisk and chmod 2770 on the spool (OPERATIONS.md, Install, 3)"


def about_folders(learnt: Learnt, place: Place) -> Iterator[Check]:
    """Yield what Asterisk cannot write or read."""
    machine = learnt.machine
    if machine is None:
        if learnt.console is not None:
            says = "Asterisk's process may not be looked at: neither spool, umask nor announcements"
            yield Check("folders", Grade.UNASKED, says, "run this as root, or as Asterisk's user")
        if learnt.ari is not None:
            yield from _by_word_alone(learnt.ari.variables.get("RECORDER_SPOOL", ""), place)
        return
    yield from _about_spool(machine, learnt, place)
    yield from _about_umask(machine)
    yield from _about_announcements(machine)
    if machine.may_be_dangerous:
        says = "live_dangerously is on: whoever may use ARI or AMI runs commands on this machine"
        yield Check("asterisk.conf", Grade.WRONG, says, "asterisk.conf: live_dangerously=no")
    for each in machine.open_files:
        says = f"{each} holds passwords and everybody on this machine may read it"
        yield Check("files", Grade.WRONG, says, f"chmod 0640 {each}, group asterisk")


def _by_word_alone(spool: str, place: Place) -> Iterator[Check]:
    if spool and spool.rstrip("/") != place.spool.rstrip("/"):
        says = f"Asterisk records into {spool}, capture looks into {place.spool}"
        remedy = "right only when both are one folder by different mounts; otherwise RECORDER_SPOOL"
        yield Check("spool", Grade.REMARK, says, remedy)


def _about_spool(machine: ByMachine, learnt: Learnt, place: Place) -> Iterator[Check]:
    here, there = machine.spool_here, machine.spool_there
    told = "" if learnt.ari is None else learnt.ari.variables.get("RECORDER_SPOOL", "")
    if here is None:
        says = f"{place.spool} is not there"
        yield Check("spool", Grade.WRONG, says, "RECORDER_SPOOL_DIR must name a folder")
    elif not told:
        return
    elif there is None:
        says = f"Asterisk does not see {told}, where it is to record"
        yield Check("spool", Grade.WRONG, says, "[globals]: RECORDER_SPOOL as Asterisk sees it")
    elif here.identity != there.identity:
        says = f"Asterisk records into another folder than capture looks into ({told})"
        yield Check("spool", Grade.WRONG, says, f"[globals]: RECORDER_SPOOL={place.spool}")
    elif not allowed(there, machine, READ | WRITE | ENTER):
        yield Check("spool", Grade.WRONG, "Asterisk may not write into the spool", SPOOL_MODE)
    elif there.mode & stat.S_IRWXO:
        says = "anybody on this machine may come into the spool"
        yield Check("spool", Grade.WRONG, says, SPOOL_MODE)
    elif not there.mode & stat.S_ISGID or not there.mode & stat.S_IWGRP:
        says = "what one of the two makes in the spool does not belong to the group of both"
        yield Check("spool", Grade.WRONG, says, SPOOL_MODE)
    else:
        yield Check("spool", Grade.OK, "one folder for both, and both may write")


def _about_umask(machine: ByMachine) -> Iterator[Check]:
    remedy = "UMask=0007 in Asterisk's unit, then restart it"
    if machine.umask & stat.S_IWGRP or machine.umask & stat.S_IRGRP:
        says = f"Asterisk's umask is {machine.umask:04o}: capture may not overwrite its audio"
        yield Check("umask", Grade.WRONG, says, remedy)
    elif machine.umask & stat.S_IRWXO != stat.S_IRWXO:
        says = f"Asterisk's umask is {machine.umask:04o}: anybody here may read its files"
        yield Check("umask", Grade.REMARK, says, remedy)
    else:
        yield Check("umask", Grade.OK, f"Asterisk's umask is {machine.umask:04o}")


def _about_announcements(machine: ByMachine) -> Iterator[Check]:
    unseen = [name for name, way in machine.announcements.items() if way is None]
    unread = [
        name
        for name, way in machine.announcements.items()
        if way is not None and not readable(way, machine)
    ]
    if unseen:
        says = f"Asterisk does not see {unseen[0]}: no caller hears an announcement"
        yield Check("announcements", Grade.WRONG, says, "RECORDER_PBX_ANNOUNCEMENT_DIR")
    elif unread:
        says = f"Asterisk may not read {unread[0]}: no caller hears an announcement"
        remedy = "chown root:asterisk and chmod 2750 on the catalogue (OPERATIONS.md, Install, 3)"
        yield Check("announcements", Grade.WRONG, says, remedy)
    elif machine.announcements:
        yield Check("announcements", Grade.OK, "Asterisk may read those in force")


def readable(way: Sequence[Folder], machine: ByMachine) -> bool:
    """Tell whether Asterisk may go along these folders and read what is at their end."""
    *folders, file = way
    return all(allowed(each, machine, ENTER) for each in folders) and allowed(file, machine, READ)


def allowed(folder: Folder, machine: ByMachine, wanted: int) -> bool:
    """Tell whether a mode lets Asterisk do all of ``wanted``."""
    if machine.uid == 0:
        return True
    shift = 6 if folder.uid == machine.uid else 3 if folder.gid in machine.gids else 0
    return (folder.mode >> shift) & wanted == wanted
