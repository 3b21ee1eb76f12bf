"""Asterisk's events as those of the capture, and what lives on it after a connection.

The dialplan hands a call over with ``Stasis(recorder,v1,<base64 of the dialled number>,<base64
of the entering context>)``: base64, because nothing that a caller sends may stand unquoted in
an application's argument.
"""

from collections.abc import Callable, Mapping
from typing import Any

from recorder.adapters.ari import AriClient, Event
from recorder.adapters.ari.events import parse_time
from recorder.adapters.switchboard import APPLICATION
from recorder.capture import events as ev
from recorder.capture.dialplan_text import from_base64
from recorder.capture.parties import Bridges, endpoint_of
from recorder.errors import ConfigurationError
from recorder.live.model import Act
from recorder.pbx.rules import OLDEST_ASTERISK, too_old
from recorder.ports import Clock

ARGUMENTS = "v1"
QUALITY = ("lp", "rlp", "rxjitter", "txjitter", "rtt", "rxmes", "txmes", "rxcount", "txcount")
"""What is kept of ``CHANNEL(rtcp,all)``: packets lost, jitter in s, MES, packets; rx is ours."""

UNWANTED = (
    *("ChannelDialplan", "ChannelCallerId", "ChannelConnectedLine", "ChannelStateChange"),
    *("ChannelCreated", "ChannelVarset", "Dial", "BridgeCreated", "BridgeMerged"),
    *("BridgeVideoSourceChanged", "ChannelTalkingStarted", "ChannelTalkingFinished"),
)
"""Events that say nothing we use; each costs both sides work for every call of the PBX."""


class AriEvents:
    """Turns Asterisk's events into those of the capture, for calls that it knows."""

    def __init__(
        self,
        *,
        clock: Clock,
        arrive: Callable[[ev.Arrival, float], None],
        deliver: Callable[[str, ev.Event], None],
    ) -> None:
        self._clock = clock
        self._arrive = arrive
        self._deliver = deliver
        self._bridges = Bridges()

    def __call__(self, event: Event) -> None:
        """Handle one event. Types that say nothing of a call are skipped."""
        act = self._ACTS.get(event.type)
        if act is not None:
            act(self, event)

    def learn(self, bridges: Mapping[str, Mapping[str, str]]) -> None:
        """Take the PBX's list of bridges (id → channel id → name) for the truth."""
        self._bridges.replace_all(bridges)

    def lines(self, channels: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Return who else is on the line, for every bridged channel of ``channels``."""
        return {
            each: self._bridges.on_the_line(each)
            for each in channels
            if self._bridges.is_bridged(each)
        }

    def _stamp(self, event: Event) -> dict[str, Any]:
        return {"at": event.timestamp or self._clock.now(), "mono": self._clock.monotonic()}

    def _stasis_start(self, event: Event) -> None:
        arguments = event.get("args")
        arrival = arrival_of(
            event.get("channel"),
            arguments if isinstance(arguments, list) else [],
            at=event.timestamp or self._clock.now(),
        )
        if arrival is not None:
            self._arrive(arrival, self._clock.monotonic())

    def _stasis_end(self, event: Event) -> None:
        self._deliver(event.channel_id, ev.LeftApplication(**self._stamp(event)))

    def _playback(self, event: Event) -> None:
        channel_id = event.text("playback", "target_uri").removeprefix("channel:")
        playback_id = event.text("playback", "id")
        stamp = self._stamp(event)
        if event.type == "PlaybackStarted":
            self._deliver(channel_id, ev.PlaybackStarted(playback_id=playback_id, **stamp))
        else:
            done = event.text("playback", "state") == "done"
            self._deliver(
                channel_id, ev.PlaybackFinished(playback_id=playback_id, done=done, **stamp)
            )

    def _key(self, event: Event) -> None:
        key = event.text("digit")
        if len(key) == 1:
            self._deliver(event.channel_id, ev.KeyPressed(key=key, **self._stamp(event)))

    def _hangup(self, event: Event) -> None:
        self._deliver(event.channel_id, ev.HangupRequested(**self._stamp(event)))

    def _destroyed(self, event: Event) -> None:
        cause = event.get("cause")
        ended = ev.CallEnded(cause=cause if isinstance(cause, int) else None, **self._stamp(event))
        self._bridges.gone(event.channel_id)
        self._deliver(event.channel_id, ended)

    def _hold(self, event: Event) -> None:
        held = ev.HoldChanged(held=event.type == "ChannelHold", **self._stamp(event))
        # Mostly it is the desk that holds: told to the caller on its line.
        for each in self._bridges.channels_on_the_line(event.channel_id):
            self._deliver(each, held)

    def _word_of_the_dialplan(self, event: Event) -> None:
        name = event.text("eventname")
        if name == "RecorderArmed":
            self._deliver(event.channel_id, ev.RecordingArmed(**self._stamp(event)))
        elif name == "RecorderQuality":
            figures = quality_figures(event.text("userevent", "Figures"))
            if figures:
                report = ev.QualityReported(figures=figures, **self._stamp(event))
                self._deliver(event.channel_id, report)

        elif name == "RecorderOrder":
            self._code(event)

    def _code(self, event: Event) -> None:
        try:
            act = Act(event.text("userevent", "Act"))
        except ValueError:
            return
        pressed = ev.CodePressed(
            act=act,
            extension=endpoint_of(event.text("channel", "name")),
            channel_id=event.channel_id,
            **self._stamp(event),
        )
        # Told on the telephone's own channel; the order is about whoever is on the line with it.
        for each in self._bridges.channels_on_the_line(event.channel_id):
            self._deliver(each, pressed)

    def _bridge_change(self, event: Event) -> None:
        bridge_id, channel_id = event.text("bridge", "id"), event.channel_id
        touched = set(self._bridges.touched_by(bridge_id)) | {channel_id}
        if event.type == "ChannelEnteredBridge":
            self._bridges.entered(bridge_id, channel_id, event.text("channel", "name"))
        elif event.type == "ChannelLeftBridge":
            self._bridges.left(bridge_id, channel_id)
        else:
            self._bridges.destroyed(bridge_id)
        for each in touched | self._bridges.touched_by(bridge_id):
            line = ev.LineChanged(
                bridged=self._bridges.is_bridged(each),
                parties=self._bridges.on_the_line(each),
                channels=self._bridges.channels_on_the_line(each) - {each},
                **self._stamp(event),
            )
            self._deliver(each, line)

    def _transfer(self, event: Event) -> None:
        attended = event.type == "BridgeAttendedTransfer"
        to = event.text("exten") or endpoint_of(event.text("transfer_target", "name"))
        transferred = ev.Transferred(attended=attended, to=to, **self._stamp(event))
        involved = {
            (event.text(who, "id"), event.text(who, "name"))
            for who in ("transferee", "transferer", "transferer_first_leg", "transfer_target")
        }
        # Behind a queue or a ring group it is a Local channel that is passed on, not the caller,
        # and by now it may have left the line.
        concerned = {
            each
            for channel_id, name in involved
            if channel_id
            for each in self._bridges.channels_on_the_line(channel_id, name)
        }
        for channel_id in concerned:
            self._deliver(channel_id, transferred)

    _ACTS: Mapping[str, Callable[["AriEvents", Event], None]] = {
        "StasisStart": _stasis_start,
        "StasisEnd": _stasis_end,
        "PlaybackStarted": _playback,
        "PlaybackFinished": _playback,
        "ChannelDtmfReceived": _key,
        "ChannelHangupRequest": _hangup,
        "ChannelDestroyed": _destroyed,
        "ChannelHold": _hold,
        "ChannelUnhold": _hold,
        "ChannelUserevent": _word_of_the_dialplan,
        "ChannelEnteredBridge": _bridge_change,
        "ChannelLeftBridge": _bridge_change,
        "BridgeDestroyed": _bridge_change,
        "BridgeBlindTransfer": _transfer,
        "BridgeAttendedTransfer": _transfer,
    }


def arrival_of(channel: object, arguments: list[object], *, at: Any) -> ev.Arrival | None:  # noqa: ANN401
    """Return who was handed over, None if it was not by our subroutine's protocol."""
    seen = Event("", {"channel": channel})
    if len(arguments) < 3 or arguments[0] != ARGUMENTS or not seen.channel_id:  # noqa: PLR2004
        return None
    return ev.Arrival(
        channel_id=seen.channel_id,
        at=at,
        endpoint=endpoint_of(seen.text("channel", "name")),
        context=from_base64(arguments[2]),
        line=from_base64(arguments[1]),
        caller_number=seen.text("channel", "caller", "number"),
        caller_name=seen.text("channel", "caller", "name"),
    )


def quality_figures(value: str) -> dict[str, float]:
    """Return the figures of ``CHANNEL(rtcp,all)``; what is no number is left out.

    >>> quality_figures("ssrc=1;lp=3;rxjitter=0.0125;rtt=nonsense")
    {'lp': 3.0, 'rxjitter': 0.0125}
    """
    figures = {}
    for part in value.split(";"):
        name, _, number = part.partition("=")
        if name in QUALITY:
            try:
                figures[name] = float(number)
            except ValueError:
                continue
    return figures


async def take_snapshot(client: AriClient, events: AriEvents, clock: Clock) -> ev.Snapshot:
    """Ask Asterisk what lives, and have all bridges reported from now on.

    Raises ``ConfigurationError`` for an Asterisk that is too old, ``AriError`` otherwise.
    """
    info = await client.asterisk.getInfo()
    _refuse_old(info)
    # The filter does not survive a reconnection, so it is set after each.
    unwanted = {"disallowed": [{"type": each} for each in UNWANTED]}
    await client.applications.filter(applicationName=APPLICATION, body=unwanted)
    await client.applications.subscribe(applicationName=APPLICATION, eventSource="bridge:")
    channels = {str(each.get("id")): each for each in await client.channels.list()}
    names = {each: str(channel.get("name", "")) for each, channel in channels.items()}
    bridges = {
        str(bridge.get("id")): {
            str(each): names.get(str(each), "") for each in bridge.get("channels") or []
        }
        for bridge in await client.bridges.list()
    }
    events.learn(bridges)
    at = clock.now()
    waiting = {}
    for channel_id, channel in channels.items():
        seen = Event("", {"channel": channel})
        if seen.text("channel", "dialplan", "app_name") != "Stasis":
            continue
        application, *arguments = seen.text("channel", "dialplan", "app_data").split(",")
        if application != APPLICATION:
            continue
        created = parse_time(channel.get("creationtime"))
        arrival = arrival_of(channel, list(arguments), at=created or at)
        if arrival is not None:
            waiting[channel_id] = arrival
    started = Event("", dict(info)).text("status", "startup_time")
    return ev.Snapshot(
        at=at,
        started_at=parse_time(started),
        channels=frozenset(channels),
        waiting=waiting,
        lines=events.lines(channels),
    )


def _refuse_old(info: Mapping[str, Any]) -> None:
    version = Event("", info).text("system", "version")
    if too_old(version):
        floor = ".".join(str(each) for each in OLDEST_ASTERISK)
        raise ConfigurationError(
            f"Asterisk {version} is too old: {floor} closes holes in ARI through which "
            "anybody with read access could change calls; upgrade Asterisk"
        )
