"""A private PostgreSQL, a private Asterisk and SIP peers for one command, tests and benchmarks."""
