"""Everything that this machine can learn of an Asterisk: by ARI, AMI, its console, and /proc."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp

from recorder.adapters.ami_asker import allowed_actions
from recorder.adapters.asterisk_console import Console
from recorder.adapters.asterisk_facts import AriAsker
from recorder.adapters.process_sight import ProcessSight, folder_of, listeners
from recorder.adapters.traces import PbxFolders
from recorder.errors import SwitchboardUnavailable
from recorder.pbx import console as words
from recorder.pbx.model import ByAri, ByConsole, ByMachine, Learnt
from recorder.ports import Clock
from recorder.settings import Settings

VARIABLES = ("RECORDER_PROBE_URL", "RECORDER_SPOOL", "RECORDER_WATCHDOG")
SECRET_FILES = ("ari.conf", "manager.conf", "pjsip.conf")
EVERYBODY_READS = 0o004
PROBE_WITHIN = aiohttp.ClientTimeout(total=3)


@dataclass(kw_only=True)
class Survey:
    """Asks once. What does not answer is told, never raised."""

    settings: Settings
    clock: Clock
    console: Path
    sounds: Sequence[str]
    """The sound files in force, as Asterisk is told of them."""
    kept: timedelta
    """How long recordings are kept."""
    away: dict[str, str] = field(default_factory=dict)

    async def learn(self) -> Learnt:
        """Return whatever could be learnt."""
        ari, ami, console = await asyncio.gather(self._ari(), self._ami(), self._console())
        probe = None if ari is None else await self._probe(ari.variables["RECORDER_PROBE_URL"])
        strays = None
        if folders := self.settings.pbx_log_folders:
            limit = self.clock.now() - self.kept
            strays = len(await asyncio.to_thread(PbxFolders(folders).older_than, limit))
        return Learnt(
            ari=ari,
            ami=ami,
            console=None if console is None else console[0],
            machine=None if console is None else self._machine(console, ari),
            probe_says=probe,
            listeners=listeners(),
            strays=strays,
            away=self.away,
        )

    async def _ari(self) -> ByAri | None:
        try:
            async with AriAsker(self.settings) as asker:
                facts = await asker.facts()
                return ByAri(
                    version=facts.version,
                    modules=facts.modules,
                    variables={each: await asker.variable(each) for each in VARIABLES},
                    applications=await asker.applications(),
                    endpoints=await asker.endpoints(),
                    may_act=await asker.may_act(),
                    lets_strangers_in=await asker.lets_strangers_in(),
                    any_origin=await asker.any_origin(),
                    shows_status=await asker.serves("/httpstatus"),
                    ami_over_http=await asker.serves("/rawman?action=ping"),
                    clock_ahead=timedelta(seconds=await asker.seconds_ahead(self.clock)),
                )
        except SwitchboardUnavailable as error:
            self.away["ari"] = str(error)
            return None

    async def _ami(self) -> dict[str, str] | None:
        if not self.settings.ami_password.get_secret_value():
            return None
        try:
            return dict(await allowed_actions(self.settings))
        except SwitchboardUnavailable as error:
            self.away["ami"] = str(error)
            return None

    async def _console(self) -> tuple[ByConsole, int, str] | None:
        console, settings = Console(self.console), self.settings
        try:
            pid = console.process()
            account = await console.says(f"manager show user {settings.ami_user}")
            http = await console.says("http show status")
            ami = await console.says("manager show settings")
            ari = await console.says(f"ari show user {settings.ari_user}")
            told = ByConsole(
                http_addresses=words.bound(http, secure=False),
                https_addresses=words.bound(http, secure=True),
                ari_account_is_bound=words.value_of(ari, "ACL?") == "Yes",
                ami_addresses=tuple(
                    each
                    for name in ("TCP Bindaddress", "TLS Bindaddress")
                    if (each := words.value_of(ami, name)) not in {"", "Disabled"}
                ),
                ami_reads=words.classes(account, "read perm"),
                ami_writes=words.classes(account, "write perm"),
                ami_account_is_bound=words.value_of(account, "ACL") == "yes",
                log_levels=words.log_levels(await console.says("logger show channels")),
                cel_is_on=words.value_of(await console.says("cel show status"), "CEL Logging")
                == "Enabled",
                features=words.features(await console.says("features show")),
                dialplan=words.dialplan(await console.says("dialplan show")),
            )
            core = await console.says("core show settings")
        except SwitchboardUnavailable as error:
            self.away["console"] = str(error)
            return None
        return told, pid, words.value_of(core, "Configuration file")

    def _machine(self, console: tuple[ByConsole, int, str], ari: ByAri | None) -> ByMachine | None:
        _, pid, configuration = console
        sight = ProcessSight(pid)
        user = sight.user()
        if user is None or sight.folder("/") is None:
            return None
        uid, gids, umask = user
        spool = "" if ari is None else ari.variables["RECORDER_SPOOL"]
        folder = Path(configuration).parent
        secret = {str(folder / each): sight.folder(str(folder / each)) for each in SECRET_FILES}
        dangerous = sight.option(configuration, "options", "live_dangerously")
        return ByMachine(
            uid=uid,
            gids=gids,
            umask=umask,
            spool_here=folder_of(self.settings.spool_dir),
            spool_there=sight.folder(spool) if spool else None,
            announcements={each: sight.way_to(each) for each in self.sounds},
            may_be_dangerous=None if dangerous is None else dangerous in {"yes", "true", "on", "1"},
            open_files=tuple(
                name for name, found in secret.items() if found and found.mode & EVERYBODY_READS
            ),
        )

    async def _probe(self, url: str) -> str | None:
        if not url:
            return None
        try:
            async with (
                aiohttp.ClientSession(timeout=PROBE_WITHIN) as session,
                session.get(url) as answer,
            ):
                return "ok" if await answer.text() == "ok" else f"with status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return f"nothing ({type(error).__name__})"
