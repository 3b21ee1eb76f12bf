"""What Asterisk prints on its console, read into words. Pure; tried on Asterisk 22.10.1."""

import re

STEP = re.compile(
    r"^(?:  '(?P<extension>.+)' => {1,}|\s{5}(?:\[(?P<label>[^\]]+)\])?)\s*"
    r"(?P<priority>\d+|hint)[.:] (?P<step>.*?)\s*\[[^\[\]]*\]$"
)
CONTEXT = re.compile(r"^\[ Context '(?P<name>.+)' created by ")


def value_of(text: str, name: str) -> str:
    r"""Return the value of a line ``name: value``; empty when there is none.

    >>> value_of("  read perm: <none>\n write perm: call", "write perm")
    'call'
    """
    found = re.search(rf"^\s*{re.escape(name)}:[ \t]*(.*?)\s*$", text, re.MULTILINE)
    return found[1] if found else ""


def classes(text: str, name: str) -> frozenset[str]:
    """Return the classes of an AMI account.

    >>> sorted(classes("read perm: system,call", "read perm"))
    ['call', 'system']
    """
    value = value_of(text, name)
    return frozenset() if value == "<none>" else frozenset(filter(None, value.split(",")))


def bound(text: str, *, secure: bool) -> tuple[str, ...]:
    """Return the addresses on which the HTTP server listens, of ``http show status``."""
    word = "HTTPS Server" if secure else r"(?<!HTTPS )Server"
    return tuple(re.findall(rf"^{word} Enabled and Bound to (\S+)$", text, re.MULTILINE))


def log_levels(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return what is written to each channel of ``logger show channels``; names are cut short."""
    rows = re.findall(r"^(\S+)\s+\S+\s+\S+\s+Enabled\s+-(.*)$", text, re.MULTILINE)
    return tuple((name, frozenset(re.findall(r"[A-Z]+", levels))) for name, levels in rows)


def features(text: str) -> frozenset[str]:
    """Return the names of the dynamic features of ``features show``."""
    _, _, after = text.partition("Dynamic Feature ")
    rows = after.partition("Feature Groups")[0].splitlines()[2:]
    return frozenset(line.split()[0] for line in rows if line.strip() not in {"", "(none)"})


def dialplan(text: str) -> dict[str, dict[str, str]]:
    """Return context → extension → its steps, of ``dialplan show``."""
    found: dict[str, dict[str, str]] = {}
    context: dict[str, str] = {}
    extension = ""
    for line in text.splitlines():
        if named := CONTEXT.match(line):
            context = found.setdefault(named["name"], {})
        elif step := STEP.match(line):
            extension = step["extension"] or extension
            told = _step(step["label"] or "", step["step"])
            context[extension] = context.get(extension, "") + told
    return found


def written(text: str) -> dict[str, dict[str, str]]:
    """Return the same of a configuration file, so that the two can be compared."""
    found: dict[str, dict[str, str]] = {}
    context: dict[str, str] = {}
    extension = ""
    for line in text.splitlines():
        plain = line.strip()
        if plain.startswith("["):
            context = found.setdefault(plain[1:].partition("]")[0], {})
        elif step := re.match(r"(exten|same)\s*=>\s*(.*)", plain):
            rest = step[2]
            if step[1] == "exten":
                extension, _, rest = rest.partition(",")
            priority, _, doing = rest.partition(",")
            label = priority.partition("(")[2].rstrip(")")
            context[extension] = context.get(extension, "") + _step(label, doing.strip())
    return found


def _step(label: str, step: str) -> str:
    return f"{label}: {step}\n"
