"""Readers of single corpora, each with its own format."""
