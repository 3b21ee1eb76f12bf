"""3. An authorised person looks for it and listens (§ 6.2, § 6.3, § 8.1)."""
