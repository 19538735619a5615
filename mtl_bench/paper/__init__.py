"""Bingel and Søgaard (2017) as data and checks: printed tables, published runs, claims."""

PUBLISHED = "published"
"""The name of the paper's own runs, wherever that of a sweep may stand."""
