"""May this request be looked at at all?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.web.rules import (
    Origin,
    Why,
    host_problem,
    one_range,
    parse_origin,
    path_to_return_to,
    sender_problem,
)

OURS = Origin("https", "rejestrator.example")
DEMO = Origin("http", "127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("hosts", "origin", "why"),
    [
        pytest.param(["rejestrator.example"], OURS, None, id="ours"),
        pytest.param(["Rejestrator.Example:443"], OURS, None, id="case and default port"),
        pytest.param(["rejestrator.example:8443"], OURS, Why.WRONG_HOST, id="another port"),
        pytest.param(["127.0.0.1:8080"], DEMO, None, id="with a port"),
        pytest.param(["127.0.0.1"], DEMO, Why.WRONG_HOST, id="without its port"),
        pytest.param(["evil.example"], OURS, Why.WRONG_HOST, id="another"),
        pytest.param(["rejestrator.example.evil.example"], OURS, Why.WRONG_HOST, id="longer"),
        pytest.param([], OURS, Why.WRONG_HOST, id="none"),
        pytest.param(["rejestrator.example"] * 2, OURS, Why.WRONG_HOST, id="two"),
    ],
)
def test_a_request_is_for_us_only_by_our_own_name(
    hosts: list[str], origin: Origin, why: Why | None
) -> None:
    assert host_problem(hosts, origin) is why


@pytest.mark.parametrize(
    ("site", "origin", "why"),
    [
        pytest.param("same-origin", None, None, id="same origin"),
        pytest.param(None, "https://rejestrator.example", None, id="an older browser"),
        pytest.param("same-origin", "https://rejestrator.example", None, id="both"),
        pytest.param("same-origin", "null", Why.ANOTHER_SITE, id="they disagree"),
        pytest.param("same-site", "https://rejestrator.example", Why.ANOTHER_SITE, id="same site"),
        pytest.param("cross-site", None, Why.ANOTHER_SITE, id="cross site"),
        pytest.param("none", None, Why.ANOTHER_SITE, id="typed by nobody"),
        pytest.param(None, "null", Why.ANOTHER_SITE, id="null"),
        pytest.param(None, "http://rejestrator.example", Why.ANOTHER_SITE, id="without TLS"),
        pytest.param(None, "https://rejestrator.example.evil", Why.ANOTHER_SITE, id="longer"),
        pytest.param(None, None, Why.NO_ORIGIN, id="no header at all"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
def test_a_change_comes_from_a_page_of_ours_or_not_at_all(
    method: str, site: str | None, origin: str | None, why: Why | None
) -> None:
    found = sender_problem(
        method,
        origin=OURS,
        fetch_site=site,
        fetch_mode="navigate",
        sent_origin=origin,
        for_machines=False,
    )
    assert found is why


@pytest.mark.parametrize(
    ("site", "mode", "for_machines", "why"),
    [
        pytest.param(None, None, True, None, id="no browser"),
        pytest.param("same-origin", "cors", True, None, id="our own script"),
        pytest.param("none", "navigate", False, None, id="typed"),
        pytest.param("cross-site", "navigate", False, None, id="a link from elsewhere"),
        pytest.param("cross-site", "no-cors", False, Why.ANOTHER_SITE, id="an image elsewhere"),
        pytest.param("same-site", "cors", False, Why.ANOTHER_SITE, id="a script elsewhere"),
        pytest.param("cross-site", "navigate", True, Why.ANOTHER_SITE, id="a link into the API"),
    ],
)
def test_what_only_reads_may_be_linked_to_and_no_more(
    site: str | None, mode: str | None, for_machines: bool, why: Why | None
) -> None:
    found = sender_problem(
        "GET",
        origin=OURS,
        fetch_site=site,
        fetch_mode=mode,
        sent_origin=None,
        for_machines=for_machines,
    )
    assert found is why


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-2",
        "bytes=10-",
        "bytes=10-20",
        "bytes=-0",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "lines=0-1",
        "bytes 0-1",
        "bytes=+1-2",
        "bytes=٠-١",
        "bytes=" + "9" * 4000 + "-",
        "bytes=0-" + "9" * 4000,
        "bytes=" + ",".join(f"{each}-" for each in range(1000)),
        "",
    ],
)
def test_a_range_that_is_not_exactly_one_good_one_is_refused(header: str) -> None:
    assert one_range(header, 10) is None


@given(size=st.integers(1, 100), first=st.integers(0, 120), last=st.integers(0, 120))
def test_a_range_is_what_slicing_gives(size: int, first: int, last: int) -> None:
    whole = bytes(range(size))
    for header, wanted in (
        (f"bytes={first}-{last}", whole[first : last + 1] if first <= last else b""),
        (f"bytes={first}-", whole[first:]),
        (f"bytes=-{last}", whole[-last:] if last else b""),
    ):
        span = one_range(header, size)
        assert (whole[span.start : span.end] if span else b"") == wanted


@given(st.text())
def test_no_header_makes_a_range_outside_the_file(header: str) -> None:
    for given_header in (header, f"bytes={header}"):
        span = one_range(given_header, 10)
        assert span is None or 0 <= span.start < span.end <= 10


def test_an_empty_file_has_no_range() -> None:
    assert one_range("bytes=0-", 0) is None
    assert one_range("bytes=-1", 0) is None


@pytest.mark.parametrize(
    "given_path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2f/evil.example",
        "/..//evil.example",
        "/a/../../b",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "/a?next=https://evil.example",
        "a",
        "/" + "a" * 400,
        "",
        None,
    ],
)
def test_nobody_is_led_away_after_signing_in(given_path: str | None) -> None:
    assert path_to_return_to(given_path) == "/"


def test_a_path_of_ours_is_returned_to() -> None:
    where = "/recordings/01a20c69-337a-75a6-9b83-bf45ec100461"
    assert path_to_return_to(where) == where


@pytest.mark.parametrize(
    "text",
    ["rejestrator.example", "ftp://a", "https://", "https://a/b", "https://u@a", "https://a:b"],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"origin|[Pp]ort"):
        parse_origin(text)


def test_loopback_is_told_by_address() -> None:
    for text in ("http://127.0.0.1:1", "http://[::1]", "http://localhost:80"):
        assert parse_origin(text).on_loopback
    assert not parse_origin("http://10.0.0.1").on_loopback
    assert not parse_origin("http://localhost.evil.example").on_loopback
