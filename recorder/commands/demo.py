"""``recorder demo``: one real call, to see with one's own eyes."""

import typer

from recorder.embedded.demo_call import STATE, RunningOffice, place_demo_call

app = typer.Typer(help="A test call.", no_args_is_help=True)


@app.callback()
def demo() -> None:
    """Try the private office that ``script/run`` has started."""


@app.command("call")
def call() -> None:
    """Place one SIP call to the private office and print what became of it.

    The caller and the desk each send a tone of their own. Exit 0 only if the recording holds
    each on its side and nothing from before consent; exit 3 when no private office runs.

    Examples: `recorder demo call` · `recorder demo call && recorder recordings list`
    """
    if not place_demo_call(RunningOffice.find(STATE), STATE, typer.echo):
        raise typer.Exit(1)
