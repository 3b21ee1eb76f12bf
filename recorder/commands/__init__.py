"""The groups of the ``recorder`` command, one module each."""
