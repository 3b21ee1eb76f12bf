"""What AMI lets its account do: signed in once, asked once, closed."""

import asyncio
from collections.abc import Mapping

from recorder.errors import SwitchboardUnavailable
from recorder.settings import Settings

WITHIN_S = 3.0
LONGEST_ANSWER = 1 << 18
END = b"\r\n\r\n"


async def allowed_actions(settings: Settings) -> Mapping[str, str]:
    """Return each action that the account may send, with the classes that it belongs to.

    Raises ``SwitchboardUnavailable``, saying whether Asterisk is away or refuses the account.
    """
    where = f"{settings.ami_host} port {settings.ami_port}"
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _ask(settings)
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise SwitchboardUnavailable(
            f"AMI does not answer at {where} ({type(error).__name__})"
        ) from None


async def _ask(settings: Settings) -> Mapping[str, str]:
    reader, writer = await asyncio.open_connection(
        settings.ami_host, settings.ami_port, limit=LONGEST_ANSWER
    )
    try:
        banner = await reader.readuntil(b"\r\n")
        if not banner.startswith(b"Asterisk Call Manager"):
            raise SwitchboardUnavailable("another program answers in the place of AMI")
        login = await _action(
            reader,
            writer,
            Action="Login",
            Username=settings.ami_user,
            Secret=settings.ami_password.get_secret_value(),
            Events="off",
        )
        if login.get("Response") != "Success":
            raise SwitchboardUnavailable(
                "Asterisk refuses the AMI account: compare secret, permit and deny in manager.conf"
            )
        return _allowed(await _action(reader, writer, Action="ListCommands"))
    finally:
        writer.close()


async def _action(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **fields: str
) -> Mapping[str, str]:
    fields |= {"ActionID": fields["Action"]}
    if not all(value.isprintable() for value in fields.values()):
        raise SwitchboardUnavailable("a value for AMI holds control characters")
    text = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"{text}\r\n".encode())
    await writer.drain()
    while True:
        block = (await reader.readuntil(END)).decode("utf-8", "replace")
        pairs = (line.partition(": ") for line in block.splitlines() if line)
        answer = {name: value for name, _, value in pairs}
        # What comes unasked, FullyBooted for one, has no id of ours.
        if answer.get("ActionID") == fields["ActionID"]:
            return answer


def _allowed(answer: Mapping[str, str]) -> Mapping[str, str]:
    no_actions = {"Response", "ActionID", "Message"}
    return {
        name: value.rpartition("(Priv: ")[2].rstrip(")")
        for name, value in answer.items()
        if name not in no_actions
    }
