"""Argon2id, beside the event loop."""

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

AT_ONCE = 2
"""Hashes computed at the same time: each takes its memory, and cores are few."""


class Argon2Hasher:
    """See ``recorder.accounts.ports.PasswordHasher`` for the promises."""

    def __init__(self, *, memory_mib: int, passes: int) -> None:
        self._argon2 = PasswordHasher(
            time_cost=passes, memory_cost=memory_mib << 10, parallelism=1, type=Type.ID
        )
        self._dummy = self._argon2.hash("nobody has this password")
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the hash with its salt and parameters."""
        async with self._turn:
            return await asyncio.to_thread(self._argon2.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether it is this password. None = no such account, which takes as long."""
        async with self._turn:
            matches = await asyncio.to_thread(self._matches, password_hash or self._dummy, password)
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether it was made with other parameters than are in force."""
        return self._argon2.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
