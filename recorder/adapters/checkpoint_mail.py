"""Posts the newest checkpoint to whoever keeps it away from this machine (R8.1f, RG.15)."""

import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from recorder.adapters.certificates import tls_of
from recorder.errors import ConfigurationError, MailUnavailable
from recorder.ports import Clock
from recorder.settings import Settings

POSTED = "posted"
"""File beside the checkpoints: the name of the last one that the mail server took."""


class CheckpointMail:
    """Sends what was not sent yet. A server that is away today is sent today's note tomorrow."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if not (settings.mail_host and settings.mail_from):
            raise ConfigurationError(
                "RECORDER_AUDIT_MAIL_TO is set: RECORDER_MAIL_HOST and RECORDER_MAIL_FROM say "
                "through which server and from whom, for example rejestrator@mops.example.pl"
            )
        self._settings, self._clock = settings, clock
        self._posted = settings.audit_checkpoint_dir / POSTED

    def post(self, notes: Mapping[str, str]) -> str:
        """Send the newest note unless it was taken before; return its name, or nothing.

        One note is enough: the newest proves all before it. Raises ``MailUnavailable``.
        """
        newest = max(notes, default="")
        if not newest or newest == self._last():
            return ""
        try:
            self._send(newest, notes[newest])
            # After the server took it: twice is no harm, never would be.
            self._posted.write_text(f"{newest}\n", encoding="utf-8")
        except (OSError, smtplib.SMTPException) as error:
            # What a server answers may hold addresses: the kind of failure is enough.
            raise MailUnavailable(
                f"the checkpoint was not posted ({type(error).__name__}); check RECORDER_MAIL_HOST"
            ) from None
        return newest

    def _last(self) -> str:
        try:
            return self._posted.read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def _send(self, name: str, note: str) -> None:
        set_ = self._settings
        secure = tls_of(set_.mail_ca_file, "RECORDER_MAIL_CA_FILE")
        where = (set_.mail_host, set_.mail_port)
        server = (
            smtplib.SMTP_SSL(*where, timeout=set_.mail_timeout_s, context=secure)
            if set_.mail_security == "tls"
            else smtplib.SMTP(*where, timeout=set_.mail_timeout_s)
        )
        with server:
            if set_.mail_security == "starttls":
                server.starttls(context=secure)
            if set_.mail_user:
                server.login(set_.mail_user, set_.mail_password.get_secret_value())
            refused = server.send_message(self._letter(name, note))
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)

    def _letter(self, name: str, note: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._settings.mail_from
        letter["To"] = self._settings.audit_mail_to
        letter["Date"] = format_datetime(self._clock.now())
        letter["Message-ID"] = make_msgid(domain=self._settings.mail_from.rpartition("@")[2])
        letter["Subject"] = f"Rejestrator: punkt kontrolny dziennika zdarzeń {Path(name).stem}"
        letter.set_content(
            "Podpisany punkt kontrolny dziennika zdarzeń rejestratora rozmów jest w załączniku.\n"
            "Proszę go zachować: dowodzi, co dziennik zawierał w chwili podpisu.\n\n"
            "The signed checkpoint of the audit trail is attached. Keep it: it proves what the\n"
            "trail held when it was signed. `recorder audit verify --public-key` and\n"
            "`script/verify-audit` read it.\n"
        )
        letter.add_attachment(note, subtype="plain", filename=name)
        return letter
