"""What to train next: one file a policy."""
