"""Commands of the capture as requests of ARI; events: :mod:`recorder.adapters.pbx_events`."""

from math import ceil
from pathlib import Path
from typing import Any

from recorder.adapters.ami import AmiControl
from recorder.adapters.ari import AriClient, AriError, Conflict, NotFound
from recorder.errors import CallGone, SwitchboardUnavailable
from recorder.live.model import CARRIED_OUT, Act, Answer, Links
from recorder.model import Announcement, RecordingId
from recorder.ports import LiveControl

APPLICATION = "recorder"
"""Name of the Stasis application, and of the dialplan's context."""


def links_of(ari: AriClient, ami: AmiControl | None) -> Links:
    """Return what stands between capture and the PBX; ``ami`` None = the office has set none."""
    return Links(
        linked=ari.serves,
        control_set=ami is not None,
        switchboard=ari.serves and ami is not None and ami.connected,
    )


class AriSwitchboard:
    """Commands calls on one Asterisk. See ``recorder.ports.Switchboard`` for the promises."""

    def __init__(self, client: AriClient, *, sounds: Path, live: LiveControl | None) -> None:
        """``live`` = None: AMI is not used, and only the dialplan can stop a recording."""
        self._client = client
        self._sounds = sounds
        self._live = live

    async def follow(self, channel_id: str) -> None:
        """Keep this channel's events coming after it leaves the application."""
        await _carried_out(
            self._client.applications.subscribe(
                applicationName=APPLICATION, eventSource=f"channel:{channel_id}"
            )
        )

    async def answer(self, channel_id: str) -> None:
        """Answer the caller."""
        await _carried_out(self._client.channels.answer(channelId=channel_id))

    async def play(self, channel_id: str, playback_id: str, announcement: Announcement) -> None:
        """Start playing to the caller; start and end arrive as events."""
        media = f"sound:{self._sounds / str(announcement.id) / 'sound'}"
        await _carried_out(
            self._client.channels.playWithId(
                channelId=channel_id, playbackId=playback_id, media=media
            )
        )

    async def stop_playing(self, playback_id: str) -> None:
        """Stop what is playing. Stopping what has ended is a success."""
        try:
            await self._client.playbacks.stop(playbackId=playback_id)
        except NotFound:
            return
        except AriError as error:
            raise SwitchboardUnavailable(str(error)) from error

    async def extend_watchdog(self, channel_id: str, seconds: float) -> None:
        """Send the caller through ``more.<seconds>`` of the dialplan, which sets it and comes back.

        Not by ``TIMEOUT(absolute)`` through ARI, for the reason that ``release`` has.
        """
        await _carried_out(
            self._client.channels.continueInDialplan(
                channelId=channel_id, context=APPLICATION, extension=f"more.{ceil(seconds)}"
            )
        )

    async def stop_recording(self, channel_id: str, recording_id: RecordingId) -> None:  # noqa: ARG002 - the port's
        """Make the PBX stop recording this call; what there is stays (R3.4h).

        A channel that has left the application takes no command of ARI, so AMI does it. Without
        AMI it can only be found out whether ``Gosub(recorder,leaving,1)`` of the office's outbound
        route has done it: that empties the variable.
        """
        if self._live is not None:
            await self._live.stop(channel_id)
            return
        try:
            monitor = await self._client.channels.getChannelVar(
                channelId=channel_id, variable="RECORDER_MIXMONITOR_ID"
            )
        except (NotFound, Conflict) as error:
            raise CallGone(str(error)) from error
        except AriError as error:
            raise SwitchboardUnavailable(str(error)) from error
        if monitor:
            raise SwitchboardUnavailable("without AMI only the dialplan can stop a recording")

    async def pause_recording(self, channel_id: str) -> None:
        """Have silence recorded in place of both sides; time goes on (RG.12)."""
        await self._control().mute(channel_id)

    async def resume_recording(self, channel_id: str) -> None:
        """Have both sides recorded again."""
        await self._control().unmute(channel_id)

    async def tell(self, channel_id: str, act: Act, answer: Answer) -> None:
        """Leave the word for which the subroutine of the codes waits, in the dialplan."""
        await self._control().tell(channel_id, act if answer in CARRIED_OUT else "refused")

    def _control(self) -> LiveControl:
        if self._live is None:
            raise SwitchboardUnavailable("without AMI a recording cannot be paused")
        return self._live

    async def release(
        self, channel_id: str, *, outcome: str, recording_id: RecordingId | None
    ) -> None:
        """Give the caller back to the dialplan, in ``decided.<outcome>[.<recording id>]``.

        In one request, and not by channel variables: once ARI has set one, Asterisk 22.10.1
        refuses ``DB``, ``FILE`` and the like to the PBX's own dialplan for the rest of the call.
        """
        extension = ".".join(("decided", outcome, *([str(recording_id)] if recording_id else [])))
        await _carried_out(
            self._client.channels.continueInDialplan(
                channelId=channel_id, context=APPLICATION, extension=extension
            )
        )


async def _carried_out(request: Any) -> None:  # noqa: ANN401 - any awaitable request
    try:
        await request
    except (NotFound, Conflict) as error:
        raise CallGone(str(error)) from error
    except AriError as error:
        raise SwitchboardUnavailable(str(error)) from error
