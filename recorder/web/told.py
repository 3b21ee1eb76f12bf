"""What processes note in a line, in the words of people who read it."""

import re

from recorder.web.languages import later

BRAKES = {
    "clock_jump": later("The clock of the machine jumped, or nobody vouches for it."),
    "holds_vanished": later(
        "A hold that stood at the last run is gone without a word in the trail."
    ),
    "file_younger": later("An audio file is younger than its row says."),
    "many_orphans": later("Many files have no row: the rows may be what is missing."),
}
JOBS = {
    "purge": later("Erasing what is due"),
    "review_holds": later("Reminding of reviews of holds"),
    "forget_numbers": later("Forgetting numbers of calls without audio"),
    "scrub": later("Reading recordings and comparing them"),
    "reconcile": later("Comparing files with rows"),
    "report_deletions": later("Daily report of deletions"),
    "find_strays": later("Looking for old files of the switchboard"),
    "keep_trail": later("Forgetting and signing in the audit trail"),
    "forget_sign_in_attempts": later("Forgetting wrong passwords"),
    "destroy_key_backups": later("Destroying keys of backups in time"),
    "export_erasures": later("Writing the ledger of erasures"),
    "completeness": later("Comparing calls with the switchboard's records"),
    "count_calls": later("Counting the calls of each day"),
}
DID = {
    "erased": later("erased"),
    "finished": later("finished from before"),
    "held": later("held"),
    "failed": later("failed"),
    "verified": later("read and compared"),
    "damaged": later("damaged"),
    "missing": later("missing"),
    "strays": later("old files"),
    "counts": later("counts"),
    "days": later("days"),
    "calls": later("calls"),
    "reviews newly overdue": later("reviews newly overdue"),
    "holds lapsed": later("holds lapsed"),
    "unexplained": later("unexplained"),
    "explained": later("explained"),
}
INCIDENTS = {
    "announcement_missing": later("The announcement was missing"),
    "announcement_failed": later("The announcement was not heard to the end"),
    "announcement_changed": later("The file of an announcement was changed"),
    "announcement_failing": later("Announcements failed one after another"),
    "audio_gap": later("A recording has a gap"),
    "audio_lost": later("A recording was lost"),
    "disk_low": later("Too little space: calls went unrecorded"),
    "spool_unavailable": later("The disk of live calls could not be written"),
    "app_absent": later("The recording service was not running"),
    "app_unresponsive": later("The recording service did not answer"),
    "app_restarted": later("The recording service was started anew during a call"),
    "link_lost": later("The connection with the switchboard was lost"),
    "pbx_lost": later("The switchboard stopped during a call"),
    "journal_unreadable": later("The journal of a call cannot be read"),
    "orphan_audio": later("Audio that belongs to no call"),
    "erasure_failed": later("A recording would not be erased"),
    "purge_braked": later("The purge stopped itself"),
    "clock_jump": later("The clock jumped"),
    "recording_missing": later("The file of a recording is missing"),
    "recording_damaged": later("A recording is damaged"),
    "recorded_unpermitted": later("A recording without permission"),
    "review_overdue": later("The review of a hold is overdue"),
    "retention_shortened": later("A shorter retention waits for a person"),
    "stray_traces": later("Old files of the switchboard"),
    "stop_refused": later("The switchboard refused to stop a recording"),
    "unexplained_call": later("A call that nothing explains"),
    "pbx_records_missing": later("The switchboard writes no records of calls"),
}
NOTED = {
    "hold:lift": later("lifting of a hold"),
    "recording:erase": later("erasing of a recording by hand"),
    "retention:change": later("change of how long recordings are kept"),
    "announcement:activate": later("activation of an announcement"),
    "closed": later("ended by the listener"),
    "idle": later("nothing was listened to any more"),
    "refused": later("the right to it ended"),
    "credentials": later("wrong login or password"),
    "unknown_login": later("no such login"),
    "second_factor": later("wrong code"),
    "directory_away": later("the directory did not answer"),
}
"""Why an entry of the trail says that something was, where it is no reason of a rule."""
PARTS = {
    "database": later("Database"),
    "vault": later("Recordings"),
    "keys": later("Keys of the recordings"),
}
"""What the web itself needs, as ``/readyz`` names it."""
STATES = {
    "open": later("open"),
    "explained": later("with its explanation"),
    "closed": later("closed"),
}
STATE_KINDS = {"open": "danger", "explained": "warning", "closed": "good"}
PART = re.compile(r"(\d+) ([a-z ]+)")


def progress_of(progress: str) -> list[tuple[str, str]]:
    """Return what a job did, word by word with its number; what has no words here is left out.

    >>> progress_of("5 erased, 0 finished, 2 held, 0 failed")
    [('erased', '5'), ('held', '2')]
    >>> progress_of("stopped: clock_jump")
    []
    """
    parts = [PART.fullmatch(each.strip()) for each in progress.split(",")]
    return [(DID[each[2]], each[1]) for each in parts if each and each[2] in DID and each[1] != "0"]
