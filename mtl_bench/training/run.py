"""One run: from its configuration to its record."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mtl_bench import compose
from mtl_bench.errors import UserError
from mtl_bench.runs.record import Record, TaskRecord, read_record
from mtl_bench.tasks import fetch
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.statistics import statistics
from mtl_bench.tasks.task import Task, load_corpus
from mtl_bench.text.vocabulary import Labels, Vocabulary, encode, normalise
from mtl_bench.training.curves import Curves
from mtl_bench.training.datamodule import Schedule, TaskDataModule, label_weights
from mtl_bench.training.resume import Checkpoints, Interrupted
from mtl_bench.training.tagger import Tagger
