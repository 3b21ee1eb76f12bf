"""What a backup holds, how long it may live, and what a restore must do before anything opens."""
