"""It must not disappear: holds are placed, reviewed, lifted (§ 7.3)."""
