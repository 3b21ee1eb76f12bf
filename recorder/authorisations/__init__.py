"""The register of authorisations (§ 8.1, annex 1)."""
