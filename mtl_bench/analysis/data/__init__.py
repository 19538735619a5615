"""What a study starts from."""
