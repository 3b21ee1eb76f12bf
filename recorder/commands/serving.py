"""The command that serves the web. Its libraries are loaded by it alone."""


def web() -> None:
    """Serve the pages and the API until stopped; put a reverse proxy with TLS before it.

    Examples: `recorder web` ·
    `RECORDER_WEB_ORIGIN=http://127.0.0.1:8080 RECORDER_WEB_PLAIN_HTTP=true recorder web`
    """
    # Here and not above: no other command need wait a second for a web framework.
    from recorder.commands.web import run  # noqa: PLC0415

    run()
