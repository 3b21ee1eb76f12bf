"""``recorder config check --asterisk``: what is missing at an office's own Asterisk."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.asterisk_survey import Survey
from recorder.adapters.clock import SystemClock
from recorder.pbx import rules
from recorder.pbx.model import Check, Place
from recorder.regulation import Regulation
from recorder.settings import Settings

CONSOLE = Path("/var/run/asterisk/asterisk.ctl")
PLAYED = "alaw"
"""Of each announcement the form that is looked for: that of the operators' lines."""


def asterisk_checks(settings: Settings, regulation: Regulation, console: Path) -> list[Check]:
    """Return every check of Asterisk, whether or not it answers."""
    survey = Survey(
        settings=settings,
        clock=SystemClock(),
        console=console,
        sounds=list(_sounds(settings)),
        kept=timedelta(days=regulation.retention.days),
    )
    learnt = asyncio.run(survey.learn())
    return list(rules.judge(learnt, _place(settings, regulation)))


def _sounds(settings: Settings) -> Iterator[str]:
    now = SystemClock().now()
    for each in AnnouncementCatalogue(settings.announcement_dir).versions():
        if each.active_from is not None and each.active_from <= now:
            yield str(settings.announcement_dir_of_pbx / str(each.id) / f"sound.{PLAYED}")


def _place(settings: Settings, regulation: Regulation) -> Place:
    return Place(
        trunks=[(each.endpoint, each.context) for each in regulation.scope.trunks],
        probe_urls=[
            f"http://{f'[{host}]' if ':' in host else host}:{settings.probe_port}/probe"
            for host in settings.probe_hosts
        ],
        spool=str(settings.spool_dir),
        ari_host=settings.ari_url.host or "",
        ari_port=settings.ari_url.port or 8088,
        ari_is_plain=settings.ari_url.scheme == "http",
        ami_host=settings.ami_host,
        ami_port=settings.ami_port,
        ami_user=settings.ami_user,
        ari_user=settings.ari_user,
        log_dirs=bool(settings.pbx_log_folders),
    )
