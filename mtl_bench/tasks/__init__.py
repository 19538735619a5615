"""Tasks and their corpora: definitions, files, readers, statistics."""
