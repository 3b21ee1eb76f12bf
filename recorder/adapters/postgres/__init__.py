"""PostgreSQL: tables, the ledger and its queries. Rows do not leave this package."""
