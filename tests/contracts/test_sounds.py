"""F13: whatever the file is, there is a sound fit for the telephone or a reason, no traceback."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.adapters import sounds
from recorder.adapters.sounds import encode, read_sound
from recorder.announcements.rules import SoundReason, Weight, judge_sound, refusals
from recorder.errors import AnnouncementRefused
from recorder.model import Layer

Samples = npt.NDArray[np.float64]


def a_tone(
    seconds: float = 1.0, rate: int = 48_000, hertz: float = 440, peak: float = 0.3
) -> Samples:
    return peak * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def a_wav(
    content: bytes = b"\1\2" * 8000,
    *,
    rate: int = 8000,
    channels: int = 1,
    bits: int = 16,
    size: int | None = None,
) -> bytes:
    """A WAV whose header says what it is told to say."""
    frame = channels * bits // 8
    header = struct.pack(
        "<IHHIIHH", 16, 1, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits
    )
    told = len(content) if size is None else size
    chunks = b"WAVEfmt " + header + b"data" + struct.pack("<I", told) + content
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def written(path: Path, samples: Samples, rate: int = 48_000, **how: str) -> Path:
    soundfile.write(path, samples, rate, **how)
    return path


def reasons(path: Path) -> dict[SoundReason, Weight]:
    findings = judge_sound(
        read_sound(path).figures, layer=Layer.FIRST, longest_s=20.0, allow_long=False
    )
    return {each.reason: each.weight for each in findings}


def reason_against(path: Path) -> str:
    """Return why a file is refused, by the reader or by the rules; empty if it is not."""
    try:
        figures = read_sound(path).figures
    except AnnouncementRefused as refused:
        return str(refused)
    findings = judge_sound(figures, layer=Layer.FIRST, longest_s=20, allow_long=False)
    return "\n".join(str(each) for each in refusals(findings))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_any_usual_file_becomes_telephone_sound(tmp_path: Path, name: str, rate: int) -> None:
    sound = read_sound(written(tmp_path / name, a_tone(rate=rate), rate))
    heard = np.frombuffer(sound.samples, dtype="<i2") / 32768
    # MP3 and Vorbis may pad by a frame of theirs.
    assert sound.length_ms == pytest.approx(1500, abs=80)
    assert sound.figures.seconds == heard.size / 8000
    middle = heard[6000:10_000]
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) * 8000 / middle.size == pytest.approx(440, abs=4)
    assert np.max(np.abs(middle)) == pytest.approx(0.3, abs=0.05)


def test_the_content_decides_what_a_file_is_not_its_name(tmp_path: Path) -> None:
    for name in ("x.raw", "x.txt", "-rf", "żółw; rm $(x).mp3"):
        (tmp_path / name).write_bytes(written(tmp_path / "a.wav", a_tone()).read_bytes())
        assert read_sound(tmp_path / name).length_ms == 1500


def test_a_telephone_sound_is_not_touched(tmp_path: Path) -> None:
    """The same sound given twice is the same version, whatever came between."""
    samples = np.concatenate([np.zeros(4000), a_tone(rate=8000)])
    first = read_sound(written(tmp_path / "a.wav", samples, 8000, subtype="PCM_16"))
    raw, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert first.samples == raw.tobytes()
    assert first.figures.guard_added_s == 0
    again = read_sound(written(tmp_path / "b.flac", raw, 8000))
    assert again.sha256 == first.sha256


@pytest.mark.parametrize(("silence", "added"), [(0.0, 0.5), (0.2, 0.3), (0.5, 0.0), (1.0, 0.0)])
def test_the_first_half_second_is_silence(tmp_path: Path, silence: float, added: float) -> None:
    samples = np.concatenate([np.zeros(round(48_000 * silence)), a_tone(2.0)])
    sound = read_sound(written(tmp_path / "a.wav", samples))
    assert sound.figures.guard_added_s == pytest.approx(added, abs=0.021)
    assert sound.figures.leading_silence_s == pytest.approx(max(0.5, silence), abs=0.021)
    heard = np.frombuffer(sound.samples, dtype="<i2")
    assert np.max(np.abs(heard[: round(8000 * 0.47)])) < 100
    assert sound.length_ms == pytest.approx(1000 * (2 + silence + added), abs=22)


def test_the_guard_counts_to_the_length_and_never_passes_the_limit(tmp_path: Path) -> None:
    assert (
        reasons(written(tmp_path / "a.wav", a_tone(19.6)))[SoundReason.TOO_LONG] is Weight.REFUSED
    )
    assert SoundReason.TOO_LONG not in reasons(written(tmp_path / "b.wav", a_tone(19.4)))


def test_stereo_is_mixed_down_and_channels_that_cancel_are_refused(tmp_path: Path) -> None:
    tone = a_tone()
    both = np.column_stack([tone, tone])
    assert reasons(written(tmp_path / "a.wav", both))[SoundReason.MIXED_DOWN] is Weight.NOTICE
    cancelling = np.column_stack([tone, -tone])
    found = reasons(written(tmp_path / "b.wav", cancelling))
    assert found[SoundReason.SILENT] is Weight.REFUSED


@pytest.mark.parametrize(
    ("samples", "rate", "reason", "weight"),
    [
        pytest.param(np.zeros(48_000), 48_000, SoundReason.SILENT, Weight.REFUSED, id="silent"),
        pytest.param(
            a_tone(hertz=15_000), 48_000, SoundReason.SILENT, Weight.REFUSED, id="above a telephone"
        ),
        pytest.param(
            a_tone(peak=0.008), 48_000, SoundReason.TOO_QUIET, Weight.REFUSED, id="too quiet"
        ),
        pytest.param(a_tone(peak=0.04), 48_000, SoundReason.QUIET, Weight.WARNING, id="quiet"),
        pytest.param(
            np.clip(a_tone(peak=3.0), -1, 1),
            48_000,
            SoundReason.CLIPPED,
            Weight.REFUSED,
            id="clipped",
        ),
        pytest.param(
            a_tone(rate=6000), 6000, SoundReason.SAMPLE_RATE_LOW, Weight.REFUSED, id="6 kHz"
        ),
        pytest.param(np.zeros(0), 48_000, SoundReason.EMPTY, Weight.REFUSED, id="no samples"),
        pytest.param(
            np.concatenate([a_tone(), np.zeros(96_000)]),
            48_000,
            SoundReason.SILENCE_AT_END,
            Weight.WARNING,
            id="dead end",
        ),
        pytest.param(
            np.concatenate([np.zeros(96_000), a_tone()]),
            48_000,
            SoundReason.SILENCE_AT_START,
            Weight.WARNING,
            id="late start",
        ),
    ],
)
def test_what_a_caller_could_not_follow_is_found(
    tmp_path: Path, samples: Samples, rate: int, reason: SoundReason, weight: Weight
) -> None:
    assert reasons(written(tmp_path / "a.wav", samples, rate))[reason] is weight


def test_a_loud_but_whole_sound_is_not_called_clipped(tmp_path: Path) -> None:
    assert SoundReason.CLIPPED not in reasons(written(tmp_path / "a.wav", a_tone(peak=0.99)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    samples = a_tone()
    samples[1000] = bad
    found = reasons(written(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert found[SoundReason.NOT_A_NUMBER] is Weight.REFUSED


def test_clipping_is_counted_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.zeros(10_000)
    samples[995:1005] = 1.0
    samples[3000] = 1.0
    samples[4000:4002] = 1.0
    written(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    whole = read_sound(tmp_path / "a.wav").figures.clipped_share
    assert whole == pytest.approx(10 / 10_000)
    for block in (1000, 1001, 7):
        monkeypatch.setattr(sounds, "BLOCK_FRAMES", block)
        assert read_sound(tmp_path / "a.wav").figures.clipped_share == whole


GOOD_WAV = a_wav(np.rint(9000 * a_tone(rate=8000, peak=1)).astype("<i2").tobytes())
ID3 = b"ID3\x04\0\0\0\0\0\x0a" + b"x" * 10


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="0 bytes"),
        pytest.param(b"<!DOCTYPE html><html></html>" * 50, id="HTML"),
        pytest.param(ID3 + b"<html>" * 100, id="ID3 before HTML"),
        pytest.param(GOOD_WAV[:30], id="header cut"),
        pytest.param(GOOD_WAV[: len(GOOD_WAV) // 2], id="truncated"),
        pytest.param(a_wav(rate=0), id="sample rate 0"),
        pytest.param(a_wav(rate=0xFFFFFFFF), id="sample rate 4 GHz"),
        pytest.param(a_wav(channels=0), id="0 channels"),
        pytest.param(a_wav(channels=65_535), id="65,535 channels"),
        pytest.param(a_wav(channels=16), id="16 channels"),
        pytest.param(a_wav(bits=0), id="0 bits"),
        pytest.param(a_wav(size=0x7FFFFFFF), id="2 GiB promised"),
        pytest.param(a_wav(b""), id="0 frames"),
        pytest.param(a_wav(size=0), id="0 frames told"),
        pytest.param(np.random.default_rng(1).bytes(20_000), id="random bytes"),
    ],
)
def test_what_is_no_sound_is_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    """F13."""
    path = tmp_path / "upload.wav"
    path.write_bytes(content)
    reason = reason_against(path)
    assert reason
    assert str(path) not in reason


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_half_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    """Half an announcement would be proof of half a notice."""
    path = written(tmp_path / name, a_tone(3.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AnnouncementRefused):
        read_sound(path)


def test_a_sound_behind_an_id3_tag_is_a_sound(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 10 + GOOD_WAV)
    assert read_sound(tmp_path / "a.wav").length_ms == 1500


def test_an_hour_is_refused_by_its_header_and_by_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = written(tmp_path / "a.flac", np.zeros(8000 * 60 * 16), 8000)
    with pytest.raises(AnnouncementRefused, match="15 minutes by its header"):
        read_sound(hour)
    # A header that hides it does not help: what was read counts.
    monkeypatch.setattr(sounds, "_refuse_hostile_header", lambda _: None)
    with pytest.raises(AnnouncementRefused, match="longer than 15 minutes;"):
        read_sound(hour)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "absent"):
        with pytest.raises(AnnouncementRefused):
            read_sound(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_to_a_file_is_more_than_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    """F13: bytes flipped anywhere, in any format."""
    name = data.draw(st.sampled_from(["a.wav", "a.flac", "a.ogg", "a.aiff"]))
    path = tmp_path / name
    if not path.exists():
        written(path, a_tone(0.3))
    content = bytearray(path.read_bytes())
    places = st.integers(0, min(len(content), 200) - 1) | st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    damaged = tmp_path / f"damaged-{name}"
    damaged.write_bytes(content)
    try:
        sound = read_sound(damaged)
    except AnnouncementRefused:
        return
    assert len(sound.samples) <= 15 * 60 * 8000 * 2 + 16_000


def test_silence_and_full_scale_are_encoded_as_g711_says() -> None:
    linear = np.array([0, 32_767, -32_768], dtype="<i2").tobytes()
    encoded = encode(linear)
    assert encoded["sln"] == linear
    # ITU-T G.711, tables 1 and 2: even bits of A-law inverted; µ-law complemented.
    assert encoded["alaw"] == bytes([0xD5, 0xAA, 0x2A])
    assert encoded["ulaw"] == bytes([0xFF, 0x80, 0x00])
