"""Which calls of a day has nobody explained?"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from recorder.completeness.model import Comparison, Judgement, Known, PbxCall
from recorder.retention.rules import day_of_office

SETTLES = timedelta(minutes=15)
"""A call that ended a moment ago is being sealed; so long it is nobody's concern (RG.13)."""

LOOKED_BACK = timedelta(days=7)
"""Days that were never compared, or not to their end, are compared as far back."""

AROUND = timedelta(hours=1)
"""Rows are looked for around a day too: two clocks tell when a call came."""

ALL_AT_ONCE = 10
"""So many calls without any record of the PBX, and not one with: the records are not written."""


def one_each(records: Iterable[PbxCall]) -> dict[str, PbxCall]:
    """Return the calls by channel id: a call that was dialled on has several records."""
    found: dict[str, PbxCall] = {}
    for each in records:
        before = found.get(each.channel_id)
        if before is None:
            found[each.channel_id] = each
            continue
        found[each.channel_id] = PbxCall(
            channel_id=each.channel_id,
            endpoint=before.endpoint,
            started_at=min(before.started_at, each.started_at),
            ended_at=max(before.ended_at, each.ended_at),
            answered=before.answered or each.answered,
        )
    return found


def judge(call: PbxCall, *, known: Collection[str], in_hand: Collection[str]) -> Judgement:
    """Return what a call of the PBX is; the order of the checks decides the reason alone."""
    if call.channel_id in known:
        return Judgement.EXPLAINED
    if call.channel_id in in_hand:
        return Judgement.IN_HAND
    # RG.13 speaks of answered calls: who is never connected is never recorded.
    return Judgement.UNEXPLAINED if call.answered else Judgement.NEVER_ANSWERED


def compare(
    day: date,
    *,
    calls: Mapping[str, PbxCall],
    rows: Iterable[Known],
    in_hand: Collection[str],
    trunks: Collection[str],
    office_zone: ZoneInfo,
    now: datetime,
) -> Comparison:
    """Compare one day both ways.

    ``calls`` and ``rows`` may hold more than the day; what began outside it is no part of it.
    Only what came by one of the ``trunks`` came from outside (§ 3.4).
    """
    since, until = day_of_office(day, office_zone=office_zone)
    settled = now - SETTLES
    rows = list(rows)
    known = {each.channel_id for each in rows}
    outside = [
        each
        for each in calls.values()
        if each.endpoint in trunks and since <= each.started_at < until and each.ended_at <= settled
    ]
    judged = {each.channel_id: judge(each, known=known, in_hand=in_hand) for each in outside}
    verdicts = list(judged.values())
    return Comparison(
        day=day,
        compared_at=now,
        settled_until=min(settled, until),
        pbx_calls=len(outside),
        explained=verdicts.count(Judgement.EXPLAINED),
        never_answered=verdicts.count(Judgement.NEVER_ANSWERED),
        in_hand=verdicts.count(Judgement.IN_HAND),
        unexplained=tuple(
            each for each in outside if judged[each.channel_id] is Judgement.UNEXPLAINED
        ),
        without_record=tuple(
            each.call_id
            for each in rows
            # A row has its own moment and its record comes at the end: only what is long over.
            if since <= each.arrived_at < min(until, settled)
            and each.channel_id not in calls
            and not each.pbx_lost
        ),
    )


def records_are_missing(comparison: Comparison) -> bool:
    """Tell whether the PBX seems to write no records at all, rather than to miss one."""
    return comparison.pbx_calls == 0 and len(comparison.without_record) >= ALL_AT_ONCE


def days_to_compare(
    compared: Mapping[date, datetime], *, now: datetime, office_zone: ZoneInfo
) -> list[date]:
    """Return today, yesterday, and older days that were not compared to their end.

    ``compared`` says until when each day was settled. The first time there is nothing to catch up.
    """
    today = now.astimezone(office_zone).date()
    days = [today - timedelta(days=1), today]
    first = min(compared, default=today)
    for back in range(2, LOOKED_BACK.days + 1):
        day = today - timedelta(days=back)
        _, until = day_of_office(day, office_zone=office_zone)
        if day >= first and (day not in compared or compared[day] < until):
            days.insert(0, day)
    return days
