"""What an encoder reads: batches of words."""
