"""The configuration of a private Asterisk: a trunk, a desk, telephones, and no open door."""

from collections.abc import Mapping
from pathlib import Path

MODULES = Path("/usr/lib/x86_64-linux-gnu/asterisk/modules")

TRUNK, OTHER_TRUNK, DESK, PHONE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
DESK_2, OUTSIDE = "127.0.0.7", "127.0.0.8"
"""Addresses that tell the peers apart; all are this machine's loopback."""

ENDPOINT = """
[{name}]
type=endpoint
context={context}
disallow=all
allow=alaw
direct_media=no
dtmf_mode=auto_info
media_address=127.0.0.1
bind_rtp_to_media_address=yes
{more}
"""

IDENTIFY = """
[{name}]
type=identify
endpoint={name}
match={address}
"""

EXTENSIONS = """
[from-trunk]
; Who enters: calls from the operator. What leaves: the desk's telephone, recorded or not.
exten => _X.,1,NoOp()
 same => n,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Dial(PJSIP/desk,${RING_S},b(recorder^codes^1))
 same => n,Hangup()

; The office's usual ways to answer: a queue, a ring group, and nobody at all.
exten => 746640811,1,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Queue(office,,,,30)
 same => n,Hangup()
exten => 746640812,1,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Dial(Local/desk@from-internal/n&Local/nobody@from-internal/n,${RING_S})
 same => n,Hangup()
exten => 746640813,1,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Dial(PJSIP/nobody,2)
 same => n,Hangup()
; A ring group with a member outside the office.
exten => 746640814,1,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Dial(Local/desk@from-internal/n&Local/0600700800@from-internal/n,${RING_S})
 same => n,Hangup()

[from-other-trunk]
; Who enters: calls from a trunk that is not listed in regulation.toml.
exten => _X.,1,NoOp()
 same => n,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Dial(PJSIP/desk,${RING_S})
 same => n,Hangup()

[from-internal]
; Who enters: the office's own telephones. What leaves: other telephones, never the recorder.
exten => desk,1,Dial(PJSIP/desk,${RING_S},b(recorder^codes^1))
 same => n,Hangup()
exten => desk-2,1,Dial(PJSIP/desk-2,${RING_S},b(recorder^codes^1))
 same => n,Hangup()
exten => nobody,1,Dial(PJSIP/nobody,${RING_S})
 same => n,Hangup()
; To the outside: a caller who is passed on here is recorded no further.
exten => _0X.,1,Gosub(recorder,leaving,1)
 same => n,Dial(PJSIP/${EXTEN:1}@outside,${RING_S})
 same => n,Hangup()
; The same by a route on which nobody thought of that.
exten => _9X.,1,Dial(PJSIP/${EXTEN:1}@outside,${RING_S})
 same => n,Hangup()
"""


def configuration(
    directory: Path,
    *,
    ari_port: int,
    ari_password: str,
    ami_port: int,
    ami_password: str,
    sip_port: int,
    desk_port: int,
    globals_: Mapping[str, str],
    dialplan: str,
    features: str,
) -> dict[str, str]:
    """Return file name → text for ``directory``/etc."""
    variables = "\n".join(f"{name}={value}" for name, value in globals_.items())
    paths = {
        "astcachedir": directory / "db",
        "astetcdir": directory / "etc",
        "astdbdir": directory / "db",
        "astkeydir": directory / "db",
        "astspooldir": directory / "spool",
        "astrundir": directory / "run",
        "astlogdir": directory / "log",
        "astmoddir": MODULES,
        "astvarlibdir": "/var/lib/asterisk",
        "astdatadir": "/usr/share/asterisk",
        "astagidir": "/usr/share/asterisk/agi-bin",
    }
    folders = "\n".join(f"{name} => {path}" for name, path in paths.items())
    return {
        "asterisk.conf": f"[directories]\n{folders}\n[options]\nlive_dangerously=no\n",
        "modules.conf": "[modules]\nautoload=yes\n"
        + "".join(f"noload={name}.so\n" for name in NOLOAD),
        "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\n"
        f"bindport={ari_port}\nenable_static=no\nenable_status=no\n",
        "ari.conf": "[general]\nenabled=yes\npretty=no\nwebsocket_write_timeout=2000\n"
        f"[recorder]\ntype=user\npassword={ari_password}\n",
        # The least that stops and mutes a recording: "call" to write, nothing to read.
        "manager.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\n"
        f"port={ami_port}\nwebenabled=no\nauthtimeout=5\nauthlimit=10\n"
        f"[recorder]\nsecret={ami_password}\ndeny=0.0.0.0/0.0.0.0\n"
        "permit=127.0.0.1/255.255.255.255\nread=\nwrite=call\n",
        "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error\n",
        "rtp.conf": "[general]\nrtpstart=20000\nrtpend=29999\n",
        "queues.conf": "[general]\n[office]\nstrategy=ringall\nmember=Local/desk@from-internal/n\n",
        "features.conf": features,
        "cdr.conf": "[general]\nenable=yes\n",
        # Calls alone, no number: what completeness is judged by (RG.13).
        "cdr_custom.conf": "[rejestrator-calls.csv]\nquoting_method=none\n"
        "fields=start(double),end(double),channel,disposition,uniqueid\n",
        "pjsip.conf": _pjsip(sip_port, desk_port),
        "extensions.conf": f"[globals]\nRING_S=30\n{variables}\n{EXTENSIONS}\n{dialplan}\n",
    }


NOLOAD = (
    *("chan_iax2", "chan_unistim", "pbx_dundi", "pbx_ael", "pbx_lua", "res_timing_pthread"),
    *("cdr_radius", "cel_radius", "cdr_pgsql", "cel_pgsql", "res_config_pgsql", "cdr_odbc"),
    *("cdr_adaptive_odbc", "cdr_tds", "cel_tds", "cel_odbc", "res_odbc", "res_config_odbc"),
    *("res_config_ldap", "res_phoneprov", "res_calendar", "chan_console", "res_xmpp"),
    *("res_calendar_icalendar", "res_calendar_ews", "res_calendar_caldav", "chan_motif"),
    *("app_voicemail_odbc", "app_voicemail_imap", "res_hep", "res_snmp", "res_prometheus"),
)
"""Modules that want a configuration or a port of their own."""


def _pjsip(sip_port: int, desk_port: int) -> str:
    transport = f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{sip_port}\n"
    desk = f"[desk]\ntype=aor\ncontact=sip:desk@{DESK}:{desk_port}\n"
    # Its port is the desk's address on which nobody ever listens: it rings for ever.
    desk += f"[desk-2]\ntype=aor\ncontact=sip:desk-2@{DESK_2}:{desk_port}\n"
    desk += f"[outside]\ntype=aor\ncontact=sip:{OUTSIDE}:{desk_port}\n"
    desk += f"[nobody]\ntype=aor\ncontact=sip:nobody@{DESK}:9\n"
    endpoints = (
        ("trunk", "from-trunk", TRUNK, "trust_id_inbound=yes"),
        ("other-trunk", "from-other-trunk", OTHER_TRUNK, ""),
        ("desk", "from-internal", DESK, "aors=desk"),
        ("desk-2", "from-internal", DESK_2, "aors=desk-2"),
        ("phone", "from-internal", PHONE, ""),
        # The operator's other line, by which calls only leave.
        ("outside", "from-trunk", OUTSIDE, "aors=outside"),
        ("nobody", "from-internal", "127.0.0.6", "aors=nobody"),
    )
    return (
        transport
        + desk
        + "".join(
            ENDPOINT.format(name=name, context=context, more=more)
            + IDENTIFY.format(name=name, address=address)
            for name, context, address, more in endpoints
        )
    )
