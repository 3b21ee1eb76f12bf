"""Its time is up: what is due is destroyed, in time and provably (§ 7.2)."""
