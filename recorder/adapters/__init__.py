"""The only package that performs I/O: Asterisk, files, PostgreSQL, the clock."""
