"""What stands in the tables, in the words of people who read it."""

from recorder.web.languages import later

REASONS = {
    "stayed_on_the_line": later(
        "The caller heard the announcement to the end and stayed on the line."
    ),
    "consented_by_key": later("The caller agreed to recording (key 1)."),
    "not_enabled": later("Recording was switched off."),
    "not_from_a_trunk": later("The call did not come from outside the office (§ 3.4)."),
    "line_not_listed": later("The number that was dialled is not recorded (§ 3.2)."),
    "caller_internal": later("The caller was the office itself (§ 3.4)."),
    "declined": later("The caller chose a call without recording (key 2)."),
    "no_consent": later("The caller did not agree to recording."),
    "caller_left": later("The caller hung up during the announcement."),
    "not_answered": later("Nobody answered."),
    "forwarded_outside": later("The call was passed on to the outside."),
    "stopped": later("Recording was stopped on an order before anybody spoke."),
    "discarded": later("The recording was discarded on an order during the call."),
    "announcement_missing": later(
        "The announcement was missing, so recording was not allowed (§ 8.2)."
    ),
    "announcement_failed": later("The announcement was not heard to the end (§ 8.2)."),
    "disk_low": later("There was too little space on the disk."),
    "spool_unavailable": later("The disk could not be written."),
    "link_lost": later("The connection with the switchboard was lost."),
    "app_restarted": later("The recording service was being started again."),
    "app_absent": later("The recording service was not running."),
    "app_unresponsive": later("The recording service did not answer."),
    "pbx_lost": later("The switchboard stopped during the call."),
    "audio_lost": later("The audio was lost: a fault, which the incident describes."),
}
OUTCOMES = {"recorded": later("recorded"), "not_recorded": later("not recorded")}
MOMENTS = {
    "call:entered": later("The call came in"),
    "consent:decided": later("Recording was decided"),
    "call:connected": later("Connected"),
    "call:disconnected": later("Disconnected"),
    "call:held": later("Put on hold"),
    "call:unheld": later("Back from hold"),
    "call:transferred": later("Passed on"),
    "recording:armed": later("Recording got ready"),
    "recording:paused": later("Recording was paused: silence from here on"),
    "recording:resumed": later("Recording was resumed"),
    "recording:stopped": later("Recording was stopped"),
    "recording:discarded": later("Recording was stopped and discarded"),
    "recording:wiped": later("The discarded audio was destroyed"),
    "order:doubted": later("Ordered, and not confirmed by the switchboard"),
    "order:refused": later("An order about the recording was refused"),
    "call:released": later("Left without recording"),
    "call:ended": later("The call ended"),
    "announcement": later("Announcement"),
}
ANSWERS = {
    "done": later("It is done."),
    "already": later("It was so before; nothing was done."),
    "doubtful": later(
        "The switchboard has not confirmed it. It is asked again until it does; until then the "
        "recording may go on."
    ),
    "expired": later("Nothing was done: the order arrived more than five seconds late."),
    "not_recording": later("Nothing was done: this call is not being recorded."),
    "over": later("Nothing was done: the recording was stopped before."),
    "call_over": later("Nothing was done: the call is over."),
    "switchboard_away": later("Nothing was done: the switchboard cannot be reached."),
    "capture_away": later("Nothing was done: the recording service does not answer."),
    "not_of_the_office": later("Nothing was done: this telephone is not on the line."),
}
"""What became of an order about a recording in progress (RG.12)."""
ORDERED = {
    "ordered_at_page": later("ordered at a page"),
    "ordered_at_telephone": later("ordered at the telephone"),
    "pause": later("pause"),
    "resume": later("resume"),
    "stop": later("stop and keep"),
    "discard": later("stop and discard"),
}
DETAILS = {**REASONS, **ANSWERS, **ORDERED}
"""What may stand beside a moment of the timeline."""
STATES_NOW = {
    "recording": later("is recorded"),
    "paused": later("paused"),
    "stopped": later("stopped, kept"),
    "discarded": later("discarded"),
}
PLAYED = {
    "heard": later("heard to the end"),
    "cut": later("cut short"),
    "interrupted": later("ended by a key"),
    "not_reported": later("its end is not known"),
}
LAYERS = {
    "first": later("the notice of recording"),
    "second": later("the longer text"),
    "languages": later("the offer of languages"),
}
SPOKEN = {"pl": later("Polish"), "en": later("English"), "uk": later("Ukrainian")}
GROUNDS = {
    "request_of_person": later("request of a person (§ 7.4)"),
    "request_of_authority": later("request of an authority (§ 7.1)"),
    "own_information": later("the office's own information (clause 4)"),
    "restriction": later("restriction while a right is weighed (§ 8.3)"),
}
REFUSED_PLACING = {
    "being_erased": later("it is being erased"),
    "already_erased": later("it has been erased"),
    "no_such_recording": later("there is no such recording"),
}
STANDINGS = {
    "proposed": later("waits for a second administrator"),
    "refused": later("refused"),
    "future": later("not in force yet"),
    "valid": later("in force"),
    "ended": later("ended"),
    "revoked": later("revoked"),
}
"""Where an authorisation stands (§ 8.1)."""
ENDINGS = {"lifted": later("lifted"), "lapsed": later("lapsed, nobody confirmed it")}
ROUTES = {
    "automatic": later("its time was up (§ 7.2)"),
    "by_hand": later("by hand, on an order (§ 7.2)"),
}
FLAGS = {
    "incomplete": later("incomplete"),
    "truncated": later("cut off"),
    "one_sided": later("one side silent"),
    "silent": later("silent"),
    "damaged": later("damaged"),
}
REFUSED = {
    "no_authorisation": later("You have no authorisation for it (§ 8.1)."),
    "authorisation_future": later("Your authorisation is not in force yet (§ 8.1)."),
    "authorisation_ended": later("Your authorisation has ended (§ 8.1)."),
    "authorisation_revoked": later("Your authorisation was revoked (§ 8.1)."),
    "account_disabled": later("Your account is closed."),
    "role_lacks_it": later("Your role does not include it."),
    "access_not_open": later("Access for maintenance is not open now (§ 6.3)."),
    "playback_over": later("This listening is over. Begin a new one at the call."),
}
"""What the gate's reasons say to the person who is refused."""


FIGURES = {
    "lp": later("packets lost on the way to us"),
    "rlp": later("packets lost on the way to the caller"),
    "rxjitter": later("jitter on the way to us, s"),
    "txjitter": later("jitter on the way to the caller, s"),
    "rtt": later("there and back, s"),
    "rxmes": later("score on the way to us"),
    "txmes": later("score on the way to the caller"),
    "rxcount": later("packets received"),
    "txcount": later("packets sent"),
}


def quality_of(figures: dict[str, float]) -> str:
    """Return how a call sounded, in a word, from its own figures; empty when there are none.

    >>> quality_of({"rxcount": 5000, "lp": 10, "rxjitter": 0.004})
    'good'
    """
    received, lost = figures.get("rxcount", 0.0), figures.get("lp", 0.0)
    if not received:
        return ""
    share, jitter = lost / (received + lost), figures.get("rxjitter", 0.0)
    if share > 0.05 or jitter > 0.1:  # noqa: PLR2004 - words are heard to be missing
        return later("poor")
    return later("fair") if share > 0.01 or jitter > 0.04 else later("good")  # noqa: PLR2004
