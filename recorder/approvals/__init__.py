"""Four eyes: one person proposes, another confirms (R7.3e)."""
