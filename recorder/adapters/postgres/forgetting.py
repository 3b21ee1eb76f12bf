"""What a call's row loses when its recording, or its time, is gone (RK.4c).

Lost: the caller's number and name, who of the office was on the line, the keys pressed, the
timeline and Asterisk's linked id. Kept: that there was a call, on which line, by which trunk,
when it came and ended, what was decided and why, by which rules, in which language it was
announced, and Asterisk's id of the channel, which is a time and a counter: none of it names a
person, and it is what completeness and a complaint are answered from (§ 8.4).
"""

from collections.abc import Mapping
from typing import Any

FORGOTTEN: Mapping[str, Any] = {
    "caller_number": None,
    "caller_e164": None,
    "caller_name": None,
    "answered_by": "",
    "parties": [],
    "keys": [],
    "timeline": [],
    "linked_id": "",
}

_SQL = {str: "''", list: "'[]'::jsonb", type(None): "NULL"}
FORGET_CALL = ", ".join(f"{name} = {_SQL[type(value)]}" for name, value in FORGOTTEN.items())
"""The same as SQL, for a statement that does several things at once."""
