"""Holds, purge, erasing by hand and reports at the prompt, on a real database and vault."""

import asyncio
import io
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.accounts.model import Role
from recorder.adapters.kernel_clock import KernelClock
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.erasure.brakes import Brake
from recorder.model import RecordingId
from tests.builders_keeping import PURGE
from tests.contracts.test_keeping import CLAIM
from tests.keys import a_vault
from tests.postgres.test_commands import Run, Said, run
from tests.postgres.test_erasing_crashes import seal
from tests.signed_in import sign_in

pytestmark = pytest.mark.postgres
__all__ = ("run",)
REGULATION = Path(__file__).parents[2] / "regulation.toml"
EVERYTHING = (Role.ADMINISTRATOR, Role.COPY_MAKER, Role.LISTENER)
HELD = ["--ground", "request_of_authority", "--reference", "RSD 12/2026", "--reason", "a threat"]
FOR = ["--request", "W/31/2026"]
LIFTED = ["--reason", "it has ended", "--reference", "II K 1/27"]
Answer = TypeVar("Answer")


@pytest.fixture
def office(
    run: Run, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Office":
    (tmp_path / "regulation.toml").write_bytes(REGULATION.read_bytes())
    office = Office(run, database_url, tmp_path, monkeypatch)
    office.sits_down("olga", *EVERYTHING)
    return office


class Office:
    """The prompt, and a look into the database beside it. Its machine's clock is trusted."""

    def __init__(
        self, run: Run, url: str, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run, self._url, self.directory = run, url, directory
        self._monkeypatch = monkeypatch
        self.ask(lambda engine: PostgresPurgeLog(engine, actor=PURGE).passed(KernelClock().read()))

    def sits_down(self, login: str, *roles: Role) -> None:
        """Have another person at the prompt, signed in already or for the first time."""
        home = self.directory / login
        if home.is_dir():
            self._monkeypatch.setenv("RECORDER_SESSION_FILE", str(home / "session"))
            return
        home.mkdir()
        sign_in(self._monkeypatch, self._url, home, *roles, login=login)
        regulation = self.directory / "regulation.toml"
        self._monkeypatch.setenv("RECORDER_REGULATION_FILE", str(regulation))

    def answers(self, text: str) -> None:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(text))

    def ask(self, question: Callable[[AsyncEngine], Awaitable[Answer]]) -> Answer:
        async def ask() -> Answer:
            async with connect(self._url) as engine:
                return await question(engine)

        return asyncio.run(ask())

    def add(self, number: int, *, days_old: int) -> RecordingId:
        vault = a_vault(self.directory)
        return self.ask(
            lambda engine: seal(engine, vault, self.directory, number, days_old=days_old)
        )

    def write_days(self, days: int) -> None:
        text = REGULATION.read_text(encoding="utf-8").replace("days = 30", f"days = {days}")
        (self.directory / "regulation.toml").write_text(text, encoding="utf-8")

    def one_person(self) -> None:
        text = REGULATION.read_text(encoding="utf-8").replace(
            "four_eyes = true", "four_eyes = false"
        )
        (self.directory / "regulation.toml").write_text(text, encoding="utf-8")


def test_a_held_recording_is_kept_and_the_plan_says_why(office: Office) -> None:
    """R7.2f, R7.3b: the dry run is the plan of the real one."""
    due, held = office.add(1, days_old=60), office.add(2, days_old=60)
    said = office.run("hold", "place", str(held), *HELD)
    assert (said.status, f"{held} placed" in said.out) == (0, True)
    plan = {
        row["recording"]: (row["erase"], row["why"])
        for row in office.run("purge", "--dry-run", "--json").json
    }
    assert plan == {str(due): (True, "expired"), str(held): (False, "held")}
    assert "expired 1, held 1" in office.run("purge", "--dry-run").out
    said = office.run("purge")
    assert (said.status, said.out) == (0, "1 erased, 0 finished, 1 held, 0 failed.\n")
    assert office.run("recordings", "show", str(held)).status == 0
    said = office.run("recordings", "show", str(due))
    assert (said.status, "automatic, expired" in said.err) == (1, True)
    assert {each.id for each in a_vault(office.directory).present()} == {held}


def test_a_hold_on_what_is_gone_is_refused_with_the_reason(office: Office) -> None:
    due = office.add(1, days_old=60)
    office.run("purge")
    said = office.run("hold", "place", str(due), *HELD)
    assert (said.status, "already_erased" in said.out) == (1, True)


def test_a_search_freezes_what_it_finds(office: Office) -> None:
    """R7.3h, R7.5a."""
    found = office.add(1, days_old=1)
    search = ["--caller", "600 123 456", "--called", "74 664 08 00", "--day", "2026-11-11"]
    said = office.run("hold", "place", *search, "--hour", "13:30", *HELD, "--yes")
    assert (said.status, f"{found} placed" in said.out) == (0, True)
    office.add(2, days_old=1)
    (hold,) = office.run("hold", "list", "--json").json
    assert (hold["recording_id"], hold["state"], hold["reason"]) == (str(found), "stands", "")
    assert office.run("hold", "list", "--json", "--reveal").json[0]["reason"] == "a threat"
    said = office.run("hold", "place", "--day", "2026-09-01", *HELD, "--yes")
    assert (said.status, "older than 30 days" in said.err) == (1, True)


@pytest.mark.parametrize("wrong", [[], ["--caller", "600123456"]])
def test_a_hold_without_recordings_or_a_day_is_wrong_use(office: Office, wrong: list[str]) -> None:
    assert office.run("hold", "place", *wrong, *HELD).status == 2


def test_lifting_waits_for_a_second_person(office: Office) -> None:
    """R7.3e: another account; whoever proposed cannot confirm."""
    held = office.add(1, days_old=60)
    office.run("hold", "place", str(held), *HELD)
    (hold,) = office.run("hold", "list", "--json").json
    said = office.run("hold", "lift", hold["id"], *LIFTED)
    assert said.status == 0
    (proposal,) = office.run("approval", "list", "--json").json
    assert proposal["id"] in said.out
    assert "it has ended" not in str(proposal)
    said = office.run("approval", "confirm", proposal["id"])
    assert (said.status, "same_person" in said.err) == (1, True)
    assert "hold:lift" in office.run("approval", "list").out
    office.sits_down("kamil", Role.ADMINISTRATOR)
    said = office.run("approval", "confirm", proposal["id"])
    assert (said.status, said.out) == (
        0,
        "Lifted. Past its day, the recording goes at the next purge.\n",
    )
    assert office.run("hold", "list", "--json").json == []
    assert office.run("purge").out.startswith("1 erased")


def test_erasing_by_hand_is_proposed_by_one_and_done_by_another(office: Office) -> None:
    """R7.2f."""
    young = office.add(1, days_old=1)
    said = office.run("erase", str(young), "--reason", "recorded by mistake")
    assert said.out.startswith("Proposed")
    (proposal,) = office.run("approval", "list", "--json").json
    assert office.run("approval", "confirm", proposal["id"]).status == 1
    assert office.run("approval", "refuse", proposal["id"]).status == 0
    assert office.run("approval", "refuse", proposal["id"]).status == 1
    office.run("erase", str(young), "--reason", "recorded by mistake")
    (proposal,) = office.run("approval", "list", "--json").json
    office.sits_down("kamil", Role.COPY_MAKER)
    assert office.run("approval", "confirm", proposal["id"]).out == "Erased.\n"


def test_each_role_does_what_the_table_of_roles_gives_it(office: Office) -> None:
    """A1: registers 2."""
    recording = office.add(1, days_old=1)
    real = ["hold", "place", str(recording), *HELD]
    office.sits_down("registry", Role.REGISTRY_CLERK)
    said = office.run(*real)
    assert (said.status, "role_lacks_it" in said.err) == (1, True)
    assert office.run(*real, "--provisional").status == 0
    (hold,) = office.run("hold", "list", "--json").json
    for refused in (
        ["hold", "list", "--reveal"],
        ["hold", "review", hold["id"], "--reason", "r"],
        ["hold", "lift", hold["id"], "--reason", "r", "--reference", "x"],
        ["erase", str(recording), "--reason", "r"],
        ["config", "apply-retention", "--yes"],
        ["audit", "show"],
    ):
        said = office.run(*refused)
        assert (said.status, "role_lacks_it" in said.err) == (1, True), refused
    office.sits_down("director", Role.ADMINISTRATOR)
    assert office.run("hold", "review", hold["id"], "--reason", "confirmed").status == 0
    assert office.run("hold", "lift", hold["id"], *LIFTED).status == 0
    (proposal,) = office.run("approval", "list", "--json").json
    for login, role in (("copies", Role.COPY_MAKER), ("registry", Role.REGISTRY_CLERK)):
        office.sits_down(login, role)
        for answer in ("confirm", "refuse"):
            said = office.run("approval", answer, proposal["id"])
            assert (said.status, "role_lacks_it" in said.err) == (1, True), (login, answer)
    office.sits_down("dpo", Role.DPO)
    assert office.run("report", "deletions").status == 0
    assert office.run("hold", "list").status == 0


def test_everybody_but_the_dpo_reads_his_own_entries_alone(office: Office, tmp_path: Path) -> None:
    """Registers 2: ○ is one's own."""
    recording = office.add(1, days_old=1)
    office.run("hold", "place", str(recording), *HELD)
    office.sits_down("listener", Role.LISTENER)
    office.run("recordings", "list")
    own = office.run("audit", "show", "--json").json
    assert "recording:searched" in {each["action"] for each in own}
    assert len({each["actor_name"] for each in own}) == 1
    assert office.run("audit", "show", "--action", "hold", "--json").json == []
    assert office.run("audit", "export", str(tmp_path / "trail")).status == 1
    office.sits_down("dpo", Role.DPO)
    placed = office.run("audit", "show", "--action", "hold:placed", "--json").json
    assert [each["actor_kind"] for each in placed] == ["account"]


def test_where_one_person_is_enough_erasing_by_hand_is_done_at_once(office: Office) -> None:
    office.one_person()
    young = office.add(1, days_old=1)
    office.answers("n\n")
    said = office.run("erase", str(young), "--reason", "by mistake")
    assert (said.status, "cannot be brought back" in said.err) == (1, True), "it asks first"
    assert str(young) in said.out
    said = office.run("erase", str(young), "--reason", "by mistake", "--yes")
    assert said.out == "Erased.\n"
    said = office.run("recordings", "show", str(young))
    assert "by_hand" in said.err
    said = office.run("erase", str(young), "--reason", "by mistake")
    assert (said.status, "erased already" in said.err) == (1, True)


def test_what_is_being_erased_is_not_handed_out(office: Office, tmp_path: Path) -> None:
    """P9."""
    claimed = office.add(1, days_old=60)
    office.ask(
        lambda engine: PostgresErasures(engine, actor=PURGE).claim([claimed], CLAIM, approval=None)
    )
    said = office.run("recordings", "export", str(claimed), str(tmp_path / "out.wav"), *FOR)
    assert (said.status, "being erased" in said.err) == (1, True)
    assert office.run("recordings", "verify", "--all").status == 0
    said = office.run("hold", "place", str(claimed), *HELD)
    assert (said.status, "being_erased" in said.out) == (1, True)
    assert office.run("purge").out.startswith("0 erased, 1 finished")


def test_a_restricted_recording_is_not_handed_out(office: Office, tmp_path: Path) -> None:
    """R8.3b."""
    recording = office.add(1, days_old=60)
    export = ["recordings", "export", str(recording), str(tmp_path / "out.wav"), *FOR]
    terms = ["--reference", "Z/3/2026", "--reason", "an objection"]
    assert (
        office.run("hold", "place", str(recording), "--ground", "restriction", *terms).status == 0
    )
    said = office.run(*export)
    assert (said.status, "restricted" in said.err) == (1, True)
    assert office.run("purge").out.startswith("0 erased, 0 finished, 1 held")


def test_a_recording_past_its_limit_makes_the_service_down(office: Office) -> None:
    """R7.2i: unless it is on hold."""
    recording = office.add(1, days_old=60)
    said = office.run("status", "--json").json["parts"]
    assert {"name": "oldest", "state": "down"}.items() <= next(
        each for each in said if each["name"] == "oldest"
    ).items()
    office.run("hold", "place", str(recording), *HELD)
    assert "oldest" not in [each["name"] for each in office.run("status", "--json").json["parts"]]


def test_a_brake_stops_until_its_token_is_given(office: Office) -> None:
    """P5."""
    due = office.add(1, days_old=60)
    now = KernelClock().read().at
    office.ask(
        lambda engine: PostgresPurgeLog(engine, actor=PURGE).put_on(
            Brake.FILE_YOUNGER, detail="1 file", at=now, token="9f3ac1d2"
        )
    )
    said = office.run("purge")
    assert (said.status, "recorder purge --confirm 9f3ac1d2" in said.err) == (1, True)
    assert "brake file_younger" in office.run("status").out
    assert office.run("purge", "--confirm", "wrong").status == 1
    assert office.run("recordings", "show", str(due)).status == 0
    assert office.run("purge", "--confirm", "9f3ac1d2").out.startswith("1 erased")


def proposal_of(said: Said) -> str:
    found = re.search(r"recorder approval confirm (\S+)", said.out)
    assert found is not None, said
    return found[1]


def test_a_shorter_retention_shows_what_it_erases_and_waits_for_two(office: Office) -> None:
    """R7.2c: the file proposes nothing by itself; two persons put it in force."""
    office.run("purge")
    young, held = office.add(1, days_old=1), office.add(2, days_old=1)
    office.run("hold", "place", str(held), *HELD)
    office.write_days(7)
    assert office.run("purge").out.startswith("0 erased")
    assert "30 days are in force; regulation.toml says 7" in office.run("status").out
    file = office.directory / "regulation.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("key_days = 0", "key_days = 7"), encoding="utf-8")
    said = office.run("config", "check")
    assert "30 days are in force; regulation.toml says 7" in said.out
    assert "wrong: retention.days (30) and backups.key_days (7) are more" in said.out
    file.write_text(text, encoding="utf-8")
    said = office.run("config", "apply-retention")
    assert "In force: 30 days; regulation.toml: 7" in said.out
    assert "erases 1 at once; 1 are held and stay" in said.out
    assert re.search(r"1 of calls of 2026-\d\d-\d\d", said.out)
    assert "Nothing is changed" in said.out
    assert office.run("config", "apply-retention", "--yes").status == 1
    asked = office.run("config", "apply-retention", "--yes", "--reason", "order 12/2026")
    proposal = proposal_of(asked)
    (waiting,) = office.run("approval", "list", "--json").json
    assert waiting["wanted"] == {"from_days": 30, "to_days": 7, "at_once": 1, "held": 1}
    assert "reason" not in waiting
    said = office.run("approval", "confirm", proposal)
    assert (said.status, "same_person" in said.err) == (1, True)
    assert office.run("purge").out.startswith("0 erased")
    office.sits_down("kamil", Role.COPY_MAKER)
    said = office.run("approval", "confirm", proposal)
    assert (said.status, "role_lacks_it" in said.err) == (1, True)
    office.sits_down("zofia", Role.ADMINISTRATOR)
    said = office.run("approval", "confirm", proposal)
    assert (said.status, "7 days are in force." in said.out) == (0, True)
    assert office.run("purge").out.startswith("1 erased")
    assert {each.id for each in a_vault(office.directory).present()} == {held}
    assert young != held
    assert "7 days are in force, as regulation.toml says" in office.run("status").out


def test_persons_set_fewer_days_than_the_file_and_the_file_says_so(office: Office) -> None:
    office.run("purge")
    recording = office.add(1, days_old=1)
    asked = office.run("config", "apply-retention", "7", "--yes", "--reason", "r", "--json").json
    assert (asked["effect"]["at_once"], asked["in_force"]) == (1, 30)
    office.sits_down("zofia", Role.ADMINISTRATOR)
    office.add(2, days_old=1)
    said = office.run("approval", "confirm", asked["proposal"])
    assert (said.status, "1 recordings were shown" in said.err) == (1, True)
    assert office.run("purge").out.startswith("0 erased")
    assert office.run("approval", "confirm", asked["proposal"], "--erases", "2").status == 0
    assert office.run("purge").out.startswith("2 erased")
    says = "7 days are in force by a decision; regulation.toml says 30"
    assert says in office.run("status").out
    assert says in office.run("config", "check").out
    assert office.run("recordings", "show", str(recording)).status == 1
    for wrong in ("0", "31", "seven"):
        assert office.run("config", "apply-retention", wrong).status == 2
    said = office.run("config", "apply-retention", "7", "--yes", "--reason", "again")
    assert (said.status, "in force already" in said.err) == (1, True)


def test_one_administrator_is_enough_where_the_office_wants_no_second(office: Office) -> None:
    office.one_person()
    office.run("purge")
    office.add(1, days_old=1)
    said = office.run("config", "apply-retention", "7", "--yes", "--reason", "r")
    assert (said.status, "7 days are in force." in said.out) == (0, True)
    assert office.run("purge").out.startswith("1 erased")


def test_refusing_leaves_the_days_as_they_are(office: Office) -> None:
    office.run("purge")
    asked = office.run("config", "apply-retention", "7", "--yes", "--reason", "r")
    assert office.run("approval", "refuse", proposal_of(asked)).status == 0
    assert "30 days are in force, as regulation.toml says" in office.run("status").out


def test_reconciling_names_what_does_not_fit(office: Office) -> None:
    """R7.2l."""
    office.add(1, days_old=3)
    assert office.run("reconcile").out == "All fits.\n"
    (file,) = (office.directory / "vault").rglob("*.rec")
    file.unlink()
    said = office.run("reconcile", "--json")
    assert (said.status, said.json) == (1, {"missing": 1})


def test_what_is_logged_meanwhile_does_not_stand_among_the_answer(office: Office) -> None:
    """``--json`` is for machines: a brake is logged as an error, and is told as a field."""
    due = office.add(1, days_old=60)
    (file,) = (office.directory / "vault").rglob("*.rec")
    file.touch()
    said = office.run("purge", "--json")
    assert (said.status, said.json["braked_by"]) == (1, ["file_younger"])
    assert '"event": "purge_braked"' in said.err
    assert str(due) in said.err


def test_verifying_names_what_is_damaged_for_machines_too(office: Office) -> None:
    whole, damaged = office.add(1, days_old=3), office.add(2, days_old=3)
    file = next((office.directory / "vault").rglob(f"{damaged}.rec"))
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    said = office.run("recordings", "verify", "--all", "--json")
    assert said.status == 1
    assert said.json == {"read": 2, "problems": {str(damaged): "is damaged"}}
    said = office.run("recordings", "verify", str(whole), "--json")
    assert (said.status, said.json) == (0, {"read": 1, "problems": {}})


def test_the_daily_report_is_empty_before_the_first_day_is_over(office: Office) -> None:
    assert office.run("report", "deletions").out == "No day is over yet.\n"
    assert office.run("report", "deletions", "--json").json == []


@pytest.mark.parametrize(
    "command",
    [
        ["hold", "place"],
        ["hold", "list"],
        ["hold", "review"],
        ["hold", "lift"],
        ["approval", "list"],
        ["approval", "confirm"],
        ["approval", "refuse"],
        ["purge"],
        ["erase"],
        ["reconcile"],
        ["report", "deletions"],
        ["config", "apply-retention"],
    ],
)
def test_every_command_of_keeping_has_two_examples(office: Office, command: list[str]) -> None:
    said = " ".join(office.run(*command, "--help").out.split())
    assert said.partition("Examples:")[2].count("`recorder ") == 2
