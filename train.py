"""Train a run, or with -m a sweep of runs. `python train.py --help` lists the choices."""

import hydra
from omegaconf import DictConfig

from mtl_bench import commandline, compose


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Train one run."""
    commandline.job(cfg)


if __name__ == "__main__":
    with commandline.plain_errors():
        compose.register()
        main()
