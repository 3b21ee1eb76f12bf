"""Keeping the machine going, for people who may see no number: logs, health, the bundle (§ 6.3)."""
