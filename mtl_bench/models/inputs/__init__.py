"""What an encoder reads: from raw words to batches and vectors, one file a kind of input."""
