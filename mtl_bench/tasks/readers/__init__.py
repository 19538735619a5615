"""Readers, one file a format: called with a file and a member, they yield sentences."""
