"""Measure which auxiliary task helps which main task in sequence labelling."""

__version__ = "0.1.0"
