"""Rejestrator: the life of a recording, from a caller's first ring to its destruction.

A call from outside is announced and decided (:mod:`recorder.capture`), its audio becomes a
recording (:mod:`recorder.custody`), and everything a caller is told is kept as versions
(:mod:`recorder.announcements`). Rules decide, services act, adapters touch. Start reading with
ARCHITECTURE.md, "Follow one call".
"""
