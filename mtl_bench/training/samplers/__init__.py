"""Samplers: which task a step trains, a file each. `Draws` gives the random numbers of a step."""
