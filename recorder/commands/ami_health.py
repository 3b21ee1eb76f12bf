"""AMI as ``recorder status`` tells it: only by it is whoever is passed on recorded no further."""

from recorder.adapters.ami_asker import allowed_actions
from recorder.commands.health import Part, State
from recorder.errors import SwitchboardUnavailable
from recorder.settings import Settings

NEEDED = ("StopMixMonitor", "MixMonitorMute")


async def ami_part(settings: Settings) -> Part:
    """Return whether the account can stop and mute a recording."""
    if not settings.ami_password.get_secret_value():
        says = "not used: a stop that only AMI can do is refused (R3.4h)"
        return Part("ami", State.ATTENTION, says)
    try:
        allowed = await allowed_actions(settings)
    except SwitchboardUnavailable as error:
        return Part("ami", State.ATTENTION, f"{error}; a stop by AMI is refused meanwhile")
    lacking = [each for each in NEEDED if each not in allowed]
    if lacking:
        says = f"the account may not {' and '.join(lacking)}: write=call in manager.conf"
        return Part("ami", State.ATTENTION, says)
    return Part("ami", State.OK, "the account is let in and may stop and mute a recording")
