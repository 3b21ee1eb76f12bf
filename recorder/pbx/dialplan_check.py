"""Is the dialplan that Asterisk has loaded ours, of this release, and does a call come to it?

Pure.
"""

from collections.abc import Iterator

from recorder.pbx.model import Check, Grade, Learnt, Place
from recorder.pbx.shipped import CONTEXT, EXTENSIONS, FEATURES, digest

NAME = "dialplan"
RELOAD = 'asterisk -rx "dialplan reload"'
ENTERS, LEAVES = f"Gosub({CONTEXT},inbound,", f"Gosub({CONTEXT},leaving,"


def about_dialplan(learnt: Learnt, place: Place) -> Iterator[Check]:
    """Yield what is wrong with the context, and with the way into it."""
    if learnt.console is None:
        return
    contexts = learnt.console.dialplan
    ours = contexts.get(CONTEXT)
    if ours is None:
        remedy = f"include dialplan/recorder.conf in extensions.conf, then {RELOAD}"
        yield Check(NAME, Grade.WRONG, f"there is no context [{CONTEXT}]", remedy)
    else:
        other = [each for each, known in EXTENSIONS.items() if digest(ours.get(each, "")) != known]
        added = sorted(set(ours) - set(EXTENSIONS))
        remedy = f"copy dialplan/recorder.conf of this release, then {RELOAD}"
        if other:
            says = f"[{CONTEXT}] is of another release or was changed: {', '.join(other)}"
            yield Check(NAME, Grade.WRONG, says, remedy)
        elif added:
            says = f"[{CONTEXT}] has extensions of somebody else: {', '.join(added)}"
            yield Check(NAME, Grade.REMARK, says, "put them into a context of their own")
        else:
            yield Check(NAME, Grade.OK, f"[{CONTEXT}] is loaded, and of this release")
    if ours is not None:
        yield from _about_ways(
            contexts_of={c: "".join(e.values()) for c, e in contexts.items()}, place=place
        )


def _about_ways(*, contexts_of: dict[str, str], place: Place) -> Iterator[Check]:
    name = "way in"
    for context in dict.fromkeys(context for _, context in place.trunks):
        steps = contexts_of.get(context)
        line = f"same => n,{ENTERS}1(${{EXTEN}}))"
        if steps is None:
            says = f"regulation.toml names the context {context}, which the dialplan does not have"
            yield Check(name, Grade.WRONG, says, "write the trunk's own context")
        elif ENTERS not in steps:
            says = f"calls that enter [{context}] do not come to [{CONTEXT}] there"
            remedy = f"add {line} before your routing, unless a context that it goes to has it"
            elsewhere = any(ENTERS in each for each in contexts_of.values())
            yield Check(name, Grade.REMARK if elsewhere else Grade.WRONG, says, remedy)
        else:
            yield Check(name, Grade.OK, f"[{context}] hands its calls over")
    if not any(LEAVES in each for each in contexts_of.values()):
        says = "no outbound route stops the recording of a caller who is passed on (§ 3.4)"
        remedy = f"same => n,{LEAVES}1) on it; AMI stops it all the same where it is used"
        yield Check("way out", Grade.REMARK, says, remedy)
    else:
        yield Check("way out", Grade.OK, "the outbound route stops recordings")


def about_features(learnt: Learnt) -> Iterator[Check]:
    """Yield which codes for the recording nobody can press."""
    if learnt.console is None:
        return
    if missing := sorted(FEATURES - learnt.console.features):
        yield Check(
            "codes",
            Grade.REMARK,
            f"no telephone has {', '.join(missing)} (RG.12)",
            'dialplan/features.conf into features.conf, then asterisk -rx "module reload '
            'features"; leave out what nobody is to have',
        )
    else:
        yield Check("codes", Grade.OK, "pause, resume, stop and discard are known")
