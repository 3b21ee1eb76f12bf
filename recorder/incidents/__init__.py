"""What a person must look at: open, explained, closed."""
