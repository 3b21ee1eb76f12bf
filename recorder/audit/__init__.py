"""The audit trail: who did what, when and why, in a chain that cannot be edited unseen (§ 8.1)."""
