"""Hydra finds sweepers and launchers in this namespace only; the logic is in `mtl_bench.sweeps`."""
