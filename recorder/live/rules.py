"""May this order be carried out, what is so after it, and whose call is it?"""

from datetime import datetime, timedelta
from uuid import UUID

from recorder.accounts.model import Account, AccountId
from recorder.audit.event import ActorKind
from recorder.live.model import Act, Answer, Health, InProgress, Node, State

VALID_FOR = timedelta(seconds=5)
"""An order older than this is refused: who gave it acts on what is no longer so."""

SEEN_WITHIN = timedelta(seconds=6)
"""A capture process that was not heard of for so long is away; it reports every two seconds."""

NOBODY = AccountId(UUID(int=0))
"""No account: whoever may act on their own alone may not act on this."""

AFTER = {
    Act.PAUSE: State.PAUSED,
    Act.RESUME: State.RECORDING,
    Act.STOP: State.STOPPED,
    Act.DISCARD: State.DISCARDED,
}
MOMENTS = {
    Act.PAUSE: "recording:paused",
    Act.RESUME: "recording:resumed",
    Act.STOP: "recording:stopped",
    Act.DISCARD: "recording:discarded",
}
"""What the timeline and the trail call an order that was carried out."""

AT_A_PAGE, AT_A_TELEPHONE = "ordered_at_page", "ordered_at_telephone"


def judge(
    act: Act, *, state: State | None, in_doubt: bool, asked_at: datetime, now: datetime
) -> Answer | None:
    """Return why an order is not carried out; None = it is. ``state`` None = no recording.

    What was stopped and kept may still be discarded while the call goes on; nothing else can be
    done to it. In doubt everything is asked for again.

    >>> noon = datetime(2026, 11, 12, 12)
    >>> judge(Act.RESUME, state=State.STOPPED, in_doubt=False, asked_at=noon, now=noon)
    <Answer.OVER: 'over'>
    """
    if now - asked_at > VALID_FOR:
        return Answer.EXPIRED
    if state is None:
        return Answer.NOT_RECORDING
    if AFTER[act] is state:
        return None if in_doubt else Answer.ALREADY
    if state is State.DISCARDED or (state is State.STOPPED and act is not Act.DISCARD):
        return Answer.OVER
    return None


def state_in_doubt(act: Act) -> State:
    """Return what holds when the PBX did not answer: of the two, the state with less audio."""
    return State.PAUSED if act is Act.RESUME else AFTER[act]


def moment_of(act: Act, answer: Answer) -> str:
    """Return the kind of the moment in the call's timeline.

    A discarding is decided for good, whether or not the PBX has confirmed the stop.
    """
    if answer is Answer.DONE or (answer is Answer.DOUBTFUL and act is Act.DISCARD):
        return MOMENTS[act]
    return "order:doubted" if answer is Answer.DOUBTFUL else "order:refused"


def detail_of(act: Act, answer: Answer, by: ActorKind) -> str:
    """Return what the timeline says beside it: how it was ordered, what is in doubt, or why not."""
    if answer is Answer.DONE:
        return AT_A_TELEPHONE if by is ActorKind.EXTENSION else AT_A_PAGE
    return act if answer is Answer.DOUBTFUL else answer


def entry_of(act: Act, answer: Answer) -> str:
    """Return what the audit trail calls the outcome of an order."""
    if answer is Answer.DONE:
        return MOMENTS[act]
    return "order:doubted" if answer is Answer.DOUBTFUL else "order:refused"


def is_own(call: InProgress, extension: str) -> bool:
    """Tell whether a call is a person's own: their extension is on the line with the caller.

    While nobody is, who was last. Whoever has passed the call on has no more say in it.
    """
    return bool(extension) and extension in call.parties


def owner_of(call: InProgress, account: Account) -> AccountId:
    """Return whose call it is to this person: theirs, or somebody else's."""
    return account.id if is_own(call, account.extension) else NOBODY


def hindrance(node: Node | None, now: datetime) -> Answer | None:
    """Return why no order can reach a call now; None = nothing is in the way."""
    if node is None or now - node.seen_at > SEEN_WITHIN:
        return Answer.CAPTURE_AWAY
    return None if node.switchboard else Answer.SWITCHBOARD_AWAY


def health_of(node: Node, now: datetime) -> Health:
    """Return how a capture process does. Without control it is well: an office may want none.

    >>> noon = datetime(2026, 11, 25, 12)
    >>> health_of(Node(name="pbx1", seen_at=noon, switchboard=False, control_set=False), noon)
    <Health.CONTROL_OFF: 'control_off'>
    """
    if now - node.seen_at > SEEN_WITHIN:
        return Health.AWAY
    if not node.linked:
        return Health.UNLINKED
    if not node.control_set:
        return Health.CONTROL_OFF
    return Health.WELL if node.switchboard else Health.CONTROL_AWAY


def acts_for(state: State) -> tuple[Act, ...]:
    """Return what can be ordered in a state, the harmless first."""
    match state:
        case State.RECORDING:
            return (Act.PAUSE, Act.STOP, Act.DISCARD)
        case State.PAUSED:
            return (Act.RESUME, Act.STOP, Act.DISCARD)
        case State.STOPPED:
            return (Act.DISCARD,)
        case State.DISCARDED:
            return ()
