"""Bingel and Søgaard (2017) as data and checks: printed tables, published runs, claims."""
