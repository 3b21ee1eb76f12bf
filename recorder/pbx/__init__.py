"""What an office's own Asterisk must have, and what of it is missing."""
