"""Is everything at this Asterisk that recording takes, and nothing that it must not have?

One function for each thing that is looked at; each yields what it found, with a remedy. What
nobody could answer for is said to be so: silence is never a yes.
"""

from collections.abc import Iterator
from datetime import timedelta

from recorder.pbx import sight
from recorder.pbx.dialplan_check import about_dialplan, about_features
from recorder.pbx.doors import about_addresses, about_ami
from recorder.pbx.model import ByAri, Check, Grade, Learnt, Place

OLDEST_ASTERISK = (22, 10, 1)
"""Older ones have holes in ARI itself (GHSA-wcvv-g26m-wx5c, GHSA-vrfp-mg3q-3959)."""

MODULES = {
    "ARI": (
        *("res_ari", "res_ari_asterisk", "res_ari_applications", "res_ari_bridges"),
        *("res_ari_channels", "res_ari_events", "res_ari_playbacks", "res_http_websocket"),
        *("res_stasis", "res_stasis_answer", "res_stasis_playback", "app_stasis"),
    ),
    "the subroutine of the dialplan": (
        *("pbx_config", "app_stack", "app_exec", "app_userevent", "func_base64"),
        *("func_callerid", "func_cdr", "func_channel", "func_curl", "res_curl", "func_cut"),
        *("func_dialplan", "func_env", "func_logic", "func_strings", "func_timeout"),
    ),
    "recording": ("app_mixmonitor", "format_sln"),
    "announcements": ("format_pcm", "format_sln"),
    "codes for the recording": ("app_playtones",),
}
"""What each is needed for; the last is a convenience, the rest is not."""
ONLY_CONVENIENT = "codes for the recording"
RUNNING = "Running"

WRITES_NUMBERS = {
    *("cdr_csv", "cdr_manager", "cdr_syslog", "cdr_sqlite3_custom", "cdr_odbc", "cdr_pgsql"),
    *("cdr_adaptive_odbc", "cdr_radius", "cdr_tds", "cdr_beanstalkd", "cel_custom", "cel_manager"),
    *("cel_odbc", "cel_pgsql", "cel_radius", "cel_sqlite3_custom", "cel_tds", "cel_beanstalkd"),
}
"""Modules whose records hold both numbers of every call."""
TELLING_LEVELS = frozenset({"VERBOSE", "DEBUG", "DTMF", "NOTICE"})
"""Levels whose lines name callers."""
CLOCKS_WITHIN = timedelta(seconds=2)


def judge(learnt: Learnt, place: Place) -> Iterator[Check]:
    """Yield every check, in the order in which a person puts things right."""
    if learnt.ari is None:
        yield Check(
            "ARI",
            Grade.WRONG,
            learnt.away.get("ari", "does not answer"),
            "http.conf: enabled=yes, bindaddr=127.0.0.1; ari.conf: the account; then "
            "RECORDER_ARI_URL, RECORDER_ARI_USER and RECORDER_ARI_PASSWORD",
        )
    else:
        yield from _about_ari(learnt.ari, place)
    yield from about_ami(learnt, place)
    yield from about_addresses(learnt, place)
    yield from about_dialplan(learnt, place)
    if learnt.ari is not None:
        yield from _about_variables(learnt.ari, learnt, place)
    yield from about_features(learnt)
    yield from sight.about_folders(learnt, place)
    yield from _about_traces(learnt, place)
    if learnt.console is None:
        yield Check(
            "console",
            Grade.UNASKED,
            learnt.away.get("console", "does not answer"),
            "run this as root on Asterisk's own machine, with --console where its asterisk.ctl "
            "lies elsewhere: only there dialplan, accounts, logs and codes can be looked at",
        )


def too_old(version: str) -> bool:
    """Tell whether a release is older than the oldest that is safe; unknown ones are not.

    >>> too_old("22.10.0+dfsg"), too_old("22.10.1+dfsg"), too_old("GIT-22-abc")
    (True, False, False)
    """
    parts = version.partition("+")[0].split(".")
    numbers = tuple(int(part) for part in parts if part.isdigit())
    return bool(numbers) and numbers < OLDEST_ASTERISK


def _about_ari(ari: ByAri, place: Place) -> Iterator[Check]:
    floor = ".".join(str(each) for each in OLDEST_ASTERISK)
    if too_old(ari.version):
        says = f"Asterisk {ari.version} lets whoever may read ARI change calls"
        yield Check("release", Grade.WRONG, says, f"upgrade to {floor} or newer")
    else:
        yield Check("release", Grade.OK, f"Asterisk {ari.version}, {floor} or newer")
    yield from _about_account(ari, place)
    yield from _about_modules(ari)
    yield from _about_trunks(ari, place)
    if "recorder" in ari.applications:
        yield Check("capture", Grade.OK, "connected: the application recorder is registered")
    else:
        says = "not connected: calls go on unrecorded"
        yield Check("capture", Grade.REMARK, says, "start capture; `recorder status`")
    ahead = ari.clock_ahead.total_seconds()
    if abs(ari.clock_ahead) > CLOCKS_WITHIN:
        says = f"Asterisk's clock differs by {ahead:+.0f} s: calls are not found by their hour"
        remedy = "keep both by chrony or systemd-timesyncd, from the same source"
        yield Check("clock", Grade.WRONG, says, remedy)
    else:
        yield Check("clock", Grade.OK, "Asterisk's clock and this one agree")


def _about_trunks(ari: ByAri, place: Place) -> Iterator[Check]:
    name = "trunks"
    known = {endpoint for endpoint, _ in place.trunks}
    if ari.endpoints is None:
        says = "Asterisk does not tell its endpoints: res_ari_endpoints is not loaded"
        remedy = "compare the trunks of regulation.toml with `pjsip show endpoints`"
        yield Check(name, Grade.UNASKED, says, remedy)
        return
    for each in sorted(known - ari.endpoints):
        says = f"regulation.toml names the trunk {each}, which Asterisk does not have"
        remedy = "write the endpoint's own name, as `pjsip show endpoints` has it"
        yield Check(name, Grade.WRONG, says, remedy)
    if known and known <= ari.endpoints:
        yield Check(name, Grade.OK, "every trunk of regulation.toml is an endpoint here")


def _about_account(ari: ByAri, place: Place) -> Iterator[Check]:
    faults = []
    if not ari.may_act:
        remedy = f"ari.conf: read_only=no for [{place.ari_user}]"
        faults.append(("the account may only read: capture cannot let callers go on", remedy))
    if ari.lets_strangers_in:
        remedy = "ari.conf: no user without a password; no program before ARI that adds one"
        faults.append(("ARI answers without an account", remedy))
    if ari.any_origin:
        remedy = "ari.conf: leave allowed_origins empty"
        faults.append(("a page of anybody's may ask ARI through a browser", remedy))
    for says, remedy in faults:
        yield Check("ARI account", Grade.WRONG, says, remedy)
    if not faults:
        yield Check("ARI account", Grade.OK, "is let in, may act, and nobody is without it")
    if ari.shows_status:
        says = "the HTTP server shows its status page to anybody"
        yield Check("HTTP server", Grade.REMARK, says, "http.conf: enable_status=no")
    if ari.ami_over_http:
        says = "AMI is offered over HTTP too"
        yield Check("HTTP server", Grade.WRONG, says, "manager.conf: webenabled=no")


def _about_modules(ari: ByAri) -> Iterator[Check]:
    faultless = True
    for purpose, names in MODULES.items():
        away = [each for each in names if ari.modules.get(each) != RUNNING]
        if not away:
            continue
        faultless = False
        weight = Grade.REMARK if purpose == ONLY_CONVENIENT else Grade.WRONG
        yield Check(
            "modules",
            weight,
            f"not running, though {purpose} needs them: {', '.join(away)}",
            "take them out of noload in modules.conf, install what brings them, then "
            f'asterisk -rx "module load {away[0]}"',
        )
    if faultless:
        yield Check("modules", Grade.OK, "all that are needed are running")


def _about_variables(ari: ByAri, learnt: Learnt, place: Place) -> Iterator[Check]:
    name, where = "[globals]", "extensions.conf, [globals]: "
    probe = ari.variables.get("RECORDER_PROBE_URL", "")
    if not probe:
        says = "RECORDER_PROBE_URL is not set: every call goes on unrecorded"
        yield Check(name, Grade.WRONG, says, f"{where}RECORDER_PROBE_URL={place.probe_urls[0]}")
    elif probe not in place.probe_urls:
        says = f"RECORDER_PROBE_URL is {probe}; capture answers at {place.probe_urls[0]}"
        remedy = f"{where}RECORDER_PROBE_URL={place.probe_urls[0]}"
        yield Check(name, Grade.WRONG, says, remedy)
    elif learnt.probe_says not in {None, "ok"}:
        says = f"{probe} answers {learnt.probe_says}: calls go on unrecorded"
        yield Check(name, Grade.REMARK, says, "start capture; `recorder status`")
    else:
        yield Check(name, Grade.OK, "RECORDER_PROBE_URL is capture's")
    spool = ari.variables.get("RECORDER_SPOOL", "")
    if not spool:
        says = "RECORDER_SPOOL is not set: nothing can be recorded"
        yield Check(name, Grade.WRONG, says, f"{where}RECORDER_SPOOL={place.spool}")
    watchdog = ari.variables.get("RECORDER_WATCHDOG", "")
    if watchdog and not watchdog.isdigit():
        says = "RECORDER_WATCHDOG is no whole number of seconds: callers could be held"
        yield Check(name, Grade.WRONG, says, f"{where}RECORDER_WATCHDOG=45")


def _about_traces(learnt: Learnt, place: Place) -> Iterator[Check]:
    name, faultless = "Asterisk's records", True
    if learnt.console is not None:
        for channel, levels in learnt.console.log_levels:
            if told := levels & TELLING_LEVELS:
                faultless = False
                yield Check(
                    "Asterisk's log",
                    Grade.WRONG if "VERBOSE" in told else Grade.REMARK,
                    f"{channel} gets {', '.join(sorted(told))}, whose lines hold numbers",
                    "logger.conf as in dialplan/asterisk-traces/, then "
                    'asterisk -rx "logger reload"',
                )
        if learnt.console.cel_is_on:
            faultless = False
            says = "channel events (CEL) are written, with both numbers of every call"
            yield Check(name, Grade.WRONG, says, "cel.conf: enable=no")
    if learnt.ari is not None:
        running = {each for each, state in learnt.ari.modules.items() if state == RUNNING}
        if writing := sorted(running & WRITES_NUMBERS):
            faultless = False
            yield Check(
                name,
                Grade.REMARK if place.log_dirs else Grade.WRONG,
                f"{', '.join(writing)} may write both numbers of every call",
                "noload in modules.conf, or rotate what they write within the retention and name "
                "its folder in RECORDER_PBX_LOG_DIRS",
            )
    if not place.log_dirs:
        says = "RECORDER_PBX_LOG_DIRS is empty: nobody looks for files that are kept too long"
        remedy = "name the folders of Asterisk's logs and records there"
        yield Check(name, Grade.REMARK, says, remedy)
    elif learnt.strays:
        says = f"{learnt.strays} files are older than any recording may be"
        remedy = "rotate them by dialplan/asterisk-traces/logrotate.conf; see stray_traces"
        yield Check(name, Grade.WRONG, says, remedy)
    elif faultless and learnt.console is not None and learnt.ari is not None:
        yield Check(name, Grade.OK, "hold no numbers longer than recordings")
