"""From where the application may be used (§ 6.2)."""
