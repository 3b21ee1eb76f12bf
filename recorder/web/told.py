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
    "prune_backup_keys": later("Destroying keys of backups in time"),
    "write_erasure_ledger": later("Writing the ledger of erasures"),
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
