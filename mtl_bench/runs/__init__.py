"""Run records: the only contract between training and study. Standard library only."""
