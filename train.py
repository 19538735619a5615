"""Train a run, or with -m a sweep of runs. `python train.py --help` lists the choices."""

from mtl_bench.commands.hydra.application import main

if __name__ == "__main__":
    main()
