"""Checkpoints are posted to a real mail server, which is sometimes away (R8.1f, RG.15)."""

import email
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from recorder.adapters.checkpoint_mail import CheckpointMail
from recorder.embedded.postgres import free_port
from recorder.errors import ConfigurationError, MailUnavailable
from recorder.settings import Settings
from tests.directory.certificates import Authority
from tests.fakes import FakeClock

NOTES = {"000000000006.note": "rest\n", "000000000012.note": "office/audit\n12\n\n\u2014 signed\n"}
NEWEST = "000000000012.note"
HOST = "127.0.0.1"


class Box:
    """What the server took; while ``full`` it takes nothing."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.full = False

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.full:
            return "452 4.2.2 mailbox of iod@mops.example.pl is full"
        self.letters.append(envelope)
        return "250 taken"


def knows(_: SMTP, __: Session, ___: Envelope, mechanism: str, given: object) -> AuthResult:
    assert mechanism in ("LOGIN", "PLAIN")
    right = LoginPassword(login=b"rejestrator", password=b"a long secret")
    return AuthResult(success=given == right, handled=True)


@contextmanager
def server(box: Box, *, secure: ssl.SSLContext | None, at_once: bool) -> Iterator[int]:
    options: dict[str, Any] = {}
    if secure is not None and not at_once:
        options = {"tls_context": secure, "require_starttls": True}
        options |= {"authenticator": knows, "auth_required": True}
    port = free_port()
    controller = Controller(
        box, hostname=HOST, port=port, ssl_context=secure if at_once else None, **options
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


@pytest.fixture
def settings(tmp_path: Path, authority: Authority) -> Callable[..., Settings]:
    def made(port: int, **given: object) -> Settings:
        return Settings(
            audit_checkpoint_dir=tmp_path,
            audit_mail_to="iod@mops.example.pl, archiwum@mops.example.pl",
            mail_from="rejestrator@mops.example.pl",
            mail_host=HOST,
            mail_port=port,
            mail_ca_file=authority.file,
            mail_timeout_s=5,
            **given,  # type: ignore[arg-type]
        )

    return made


def context(authority: Authority) -> ssl.SSLContext:
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(*authority.certify(HOST))
    return secure


@pytest.mark.parametrize("way", ["starttls", "tls", "none"])
def test_the_newest_checkpoint_is_posted_once(
    settings: Callable[..., Settings], authority: Authority, way: str
) -> None:
    box = Box()
    secure = None if way == "none" else context(authority)
    account = {"mail_user": "rejestrator", "mail_password": "a long secret"}
    signed_in = account if way == "starttls" else {}
    with server(box, secure=secure, at_once=way == "tls") as port:
        mail = CheckpointMail(settings(port, mail_security=way, **signed_in), FakeClock())
        assert [mail.post(NOTES), mail.post(NOTES)] == [NEWEST, ""]
    (taken,) = box.letters
    assert taken.rcpt_tos == ["iod@mops.example.pl", "archiwum@mops.example.pl"]
    assert isinstance(taken.content, bytes)
    letter = email.message_from_bytes(taken.content, policy=default)
    (attached,) = letter.iter_attachments()
    assert attached.get_filename() == NEWEST
    assert attached.get_content().replace("\r\n", "\n") == NOTES[NEWEST]


def test_what_a_server_did_not_take_is_posted_the_next_time(
    settings: Callable[..., Settings],
) -> None:
    box = Box()
    box.full = True
    with server(box, secure=None, at_once=False) as port:
        mail = CheckpointMail(settings(port, mail_security="none"), FakeClock())
        with pytest.raises(MailUnavailable) as refused:
            mail.post(NOTES)
        assert "@" not in str(refused.value)
        box.full = False
        assert mail.post(NOTES) == NEWEST
    assert len(box.letters) == 1


def test_a_server_that_is_away_is_told(settings: Callable[..., Settings]) -> None:
    with server(Box(), secure=None, at_once=False) as port:
        pass
    with pytest.raises(MailUnavailable, match="RECORDER_MAIL_HOST"):
        CheckpointMail(settings(port, mail_security="none"), FakeClock()).post(NOTES)


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_server_with_a_stranger_s_certificate_is_given_nothing(
    settings: Callable[..., Settings], tmp_path: Path, way: str
) -> None:
    box, stranger = Box(), Authority(tmp_path, "stranger")
    with (
        server(box, secure=context(stranger), at_once=way == "tls") as port,
        pytest.raises(MailUnavailable, match="SSLCertVerificationError"),
    ):
        CheckpointMail(settings(port, mail_security=way), FakeClock()).post(NOTES)
    assert box.letters == []


def test_nothing_signed_is_nothing_to_post(settings: Callable[..., Settings]) -> None:
    assert CheckpointMail(settings(9), FakeClock()).post({}) == ""


def test_mail_without_a_server_is_a_setting_that_is_missing(tmp_path: Path) -> None:
    wrong = Settings(audit_checkpoint_dir=tmp_path, audit_mail_to="iod@mops.example.pl")
    with pytest.raises(ConfigurationError, match="RECORDER_MAIL_HOST"):
        CheckpointMail(wrong, FakeClock())
