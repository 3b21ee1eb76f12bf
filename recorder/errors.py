"""Every error this service raises on purpose, and who must act.

::

    RecorderError                 1   base; never raised itself
    ├── ConfigurationError        2   operator: a setting or regulation.toml is wrong
    ├── RuleViolation             1   person: a rule says no, with its reason
    ├── NotFound                  1   person: no such call, recording or announcement
    ├── CallGone                  1   nobody: the caller has left, which is not a failure
    ├── AnnouncementRefused       1   person: the sound cannot be used, with the reason
    ├── RowRefused                1   nobody: a defect; PostgreSQL will never take the row
    ├── RecordingDamaged          1   operator: stored audio is not what was sealed
    ├── BackupDamaged             1   operator: a backup is not what was made; nothing is restored
    └── Unavailable               3   retry: a part cannot be reached
        ├── SwitchboardUnavailable    Asterisk does not answer
        │   └── SwitchboardSilent     it was asked, and did not say whether it did
        ├── LedgerUnavailable         PostgreSQL does not answer
        ├── TrailUnavailable          the audit trail cannot be written: the act is refused
        ├── MailUnavailable           the mail server did not take a checkpoint
        ├── DirectoryUnavailable      the directory or the OpenID provider does not answer
        ├── SpoolUnavailable          the spool cannot be read or written
        ├── PbxRecordsUnavailable     the PBX's own call records cannot be read
        ├── BackupUnavailable         a place of backups, or a tool of PostgreSQL, fails
        └── VaultUnavailable          the vault cannot be read or written
            └── KeyUnavailable        the keys cannot be read, or lie under another master key

The number is the exit status of a command that ends with the error. Messages say what to do
and never hold a telephone number or a name.
"""


class RecorderError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1


class ConfigurationError(RecorderError):
    """A setting is missing or wrong; the message names it, its rule and an example."""

    exit_code = 2


class RuleViolation(RecorderError):
    """A rule forbids what was asked; the message is its reason."""


class NotFound(RecorderError):
    """Nothing has this id."""


class CallGone(RecorderError):
    """The channel is no longer ours to command: hung up, or taken back by the PBX."""


class AnnouncementRefused(RecorderError):
    """A sound file cannot become an announcement; the message says why."""


class SoundCutShort(AnnouncementRefused):
    """The file ends before the sound that it promises."""


class RowRefused(RecorderError):
    """PostgreSQL will never take this row: a defect of ours, not an outage."""


class RecordingDamaged(RecorderError):
    """Stored audio does not authenticate, or its key is missing; nothing of it is given out."""


class BackupDamaged(RecorderError):
    """A file of a backup is missing, changed or another's; nothing of it is restored."""


class Unavailable(RecorderError):
    """A part cannot be reached now; trying again later is right."""

    exit_code = 3


class SwitchboardUnavailable(Unavailable):
    """Asterisk does not answer or refused the connection."""


class SwitchboardSilent(SwitchboardUnavailable):
    """Asterisk was asked and did not say whether it did: it may have."""


class LedgerUnavailable(Unavailable):
    """PostgreSQL does not answer or is not writable."""


class TrailUnavailable(Unavailable):
    """The audit trail cannot be written, so what would need an entry must not happen (RG.15)."""


class DirectoryUnavailable(Unavailable):
    """The office's directory or its OpenID provider cannot say who somebody is."""


class MailUnavailable(Unavailable):
    """The mail server does not answer, or did not take what was posted."""


class SpoolUnavailable(Unavailable):
    """The spool is missing, read-only or full."""


class PbxRecordsUnavailable(Unavailable):
    """The PBX's own call records are not there or cannot be read: nothing can be compared."""


class BackupUnavailable(Unavailable):
    """A place of backups cannot be read or written, or PostgreSQL's tool is missing or failed."""


class VaultUnavailable(Unavailable):
    """The vault is missing, read-only or full."""


class KeyUnavailable(VaultUnavailable):
    """The key directory is missing or read-only, or its keys lie under another master key."""
