"""What a caller is told before anything is recorded, kept as versions (§ 8.2)."""
