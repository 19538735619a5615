"""Train a run, or with -m a sweep of runs. `python train.py --help` lists the choices."""

import hydra
from omegaconf import DictConfig

from mtl_bench import compose, job


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Train one run."""
    job.run_job(cfg)


if __name__ == "__main__":
    with job.plain_errors():
        compose.register()
        main()
