"""Who comes in by ARI and AMI, from where, and what they may do there. Pure."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from recorder.pbx.model import Check, Grade, Learnt, Place

AMI_NEEDED = {"StopMixMonitor": "call", "MixMonitorMute": "call", "Setvar": "call"}
AMI_CLASS = "call"
NO_CLASS = frozenset({"", "all", "<none>"})
AMI_DANGEROUS = frozenset({"system", "command", "config", "originate", "agi"})
"""By these an account runs commands, reads or writes files, or starts calls."""
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not bound to


def about_ami(learnt: Learnt, place: Place) -> Iterator[Check]:
    """Yield what the AMI account may do too little, and too much."""
    name = "AMI account"
    if learnt.ami is None:
        weight = Grade.WRONG if learnt.away.get("ami") else Grade.REMARK
        says = learnt.away.get("ami") or "not used: RECORDER_AMI_PASSWORD is empty (R3.4h)"
        remedy = (
            f"manager.conf: [{place.ami_user}], read= empty, write=call; OPERATIONS.md, Install"
        )
        yield Check(name, weight, says, remedy)
        return
    lacking = [each for each in AMI_NEEDED if each not in learnt.ami]
    if lacking:
        says = f"may not {', '.join(lacking)}: a recording is not stopped when it must be"
        yield Check(name, Grade.WRONG, says, "manager.conf: write=call")
    reads: frozenset[str] = frozenset()
    more = _beyond_call(learnt.ami)
    if learnt.console is not None:
        reads, more = learnt.console.ami_reads, learnt.console.ami_writes - {AMI_CLASS}
    if more & AMI_DANGEROUS:
        told = ", ".join(sorted(more))
        says = f"may do more than it needs: {told}. Who has its password has Asterisk's machine"
        yield Check(name, Grade.WRONG, says, "manager.conf: write=call, nothing else")
    elif more:
        says = f"may do more than it needs: {', '.join(sorted(more))}"
        yield Check(name, Grade.REMARK, says, "manager.conf: write=call, nothing else")
    if reads:
        says = f"is sent what it does not need: {', '.join(sorted(reads))}"
        yield Check(name, Grade.REMARK, says, "manager.conf: read= with nothing behind it")
    if learnt.console is not None and not learnt.console.ami_account_is_bound:
        says = "is let in from any address"
        remedy = "manager.conf: deny=0.0.0.0/0.0.0.0 and permit= capture's address alone"
        yield Check(name, Grade.WRONG, says, remedy)
    elif not (lacking or more or reads):
        yield Check(name, Grade.OK, "is let in, may do what it must and no more")


def _beyond_call(allowed: Mapping[str, str]) -> frozenset[str]:
    """Return the classes that the account has besides, as far as its actions tell.

    An action of several classes is allowed by any of them: it tells only if no other explains it.
    """
    told = [frozenset(each.split(",")) - NO_CLASS for each in allowed.values()]
    known = frozenset().union(*(each for each in told if len(each) == 1)) | {AMI_CLASS}
    return known.union(*(each for each in told if not each & known)) - {AMI_CLASS}


def about_addresses(learnt: Learnt, place: Place) -> Iterator[Check]:
    """Yield who else comes to ARI and AMI, and what goes there in the clear."""
    console = learnt.console
    for name, host, port, told, remedy in (
        (
            "ARI's address",
            place.ari_host,
            place.ari_port,
            None if console is None else (*console.http_addresses, *console.https_addresses),
            "http.conf: bindaddr=127.0.0.1, or the one address that capture comes to",
        ),
        (
            "AMI's address",
            place.ami_host,
            place.ami_port,
            None if console is None else console.ami_addresses,
            "manager.conf: bindaddr=127.0.0.1, or the one address that capture comes to",
        ),
    ):
        if (name.startswith("ARI") and learnt.ari is None) or (
            name.startswith("AMI") and learnt.ami is None
        ):
            continue
        found = _hosts(told, port, learnt)
        if found is None:
            says = "not known: another machine, or a container, has it"
            yield Check(name, Grade.UNASKED, says, remedy)
        elif public := sorted(each for each in found if _is_public(each)):
            says = f"listens on {', '.join(public)}, where more than this machine comes"
            yield Check(name, Grade.WRONG, says, remedy)
        else:
            yield Check(name, Grade.OK, f"listens on {', '.join(sorted(found))} alone")
        plain = place.ari_is_plain or name.startswith("AMI")
        if plain and not _is_loopback(host):
            says = f"passwords go to {host} in the clear"
            way = "keep it inside this machine, or give it TLS (http.conf: tlsenable) and https://"
            yield Check(name, Grade.REMARK, says, way)


def _hosts(told: tuple[str, ...] | None, port: int, learnt: Learnt) -> set[str] | None:
    if told:
        return {each.rpartition(":")[0].strip("[]") for each in told}
    if learnt.listeners is None:
        return None
    return {host for host, listening in learnt.listeners if listening == port} or None


def _is_public(host: str) -> bool:
    """Everything but loopback and one address of a private network is open to more."""
    if host in ANYWHERE:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return True
    return not (address.is_loopback or address.is_private)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
