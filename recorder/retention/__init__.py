"""What the retention process does regularly, and how it is seen to have done it."""
