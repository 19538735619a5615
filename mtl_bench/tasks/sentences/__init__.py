"""Sentences to tag: words without targets, read from files and pipes as they come."""
