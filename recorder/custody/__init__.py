"""The file becomes a recording: from the spool, sealed, into the vault, with its row."""
