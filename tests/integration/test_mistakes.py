"""Mistakes that people make on the command line: each answered, none with a traceback."""

from importlib.util import find_spec

import pytest

BEGIN = "The\tDET\nman\tNOUN\n\n" * 40


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["main=syn_chuu"],
            [
                "main: there is no task 'syn_chuu'",
                "Did you mean syn_chu",
                "Possible:",
                "MTL_BENCH_TASKS",
            ],
        ),
        (["aux=[syn_pos,xyz]"], ["aux: there is no task 'xyz'", "syn_pos"]),
        (
            ["optimizer=adm"],
            ["no 'adm'", "Did you mean adam", "adadelta, adam, adamw, adamw_linear, sgd"],
        ),
        (["optimizer.lrr=1"], ["no key 'lrr'", "Did you mean lr?", "optimizer.rho"]),
        (["sede=1"], ["no key 'sede'", "Did you mean seed?"]),
        (["+stepspertask=1"], ["no key 'stepspertask'", "steps_per_task"]),
        (["+data.batchsize=1"], ["no key 'batchsize'", "data.batch_size"]),
        (["data.batch_size=many"], ["data.batch_size: 'many' is not a whole number"]),
        (["steps_per_task=1.5"], ["steps_per_task: '1.5' is not a whole number"]),
        (["overwrite=maybe"], ["overwrite: 'maybe' is not true or false"]),
        (["optimizer.lr=fast"], ["optimizer.lr: 'fast' is not a number"]),
        (["+optimizer.momentum=1"], ["momentum"]),
        (["+trainer.foo=1"], ["trainer.foo", "Possible:", "trainer.max_steps"]),
        (["+trainer.limit_test_batches=0"], ["trainer.limit_test_batches", "Possible:"]),
        (["trainer.devices=2"], ["trainer.devices is 2", "side by side"]),
        (["trainer.precision=16-mixed"], ["trainer.precision is '16-mixed'", "32-true"]),
        (["trainer=gpu"], ["trainer:", "trainer.accelerator=gpu"]),
        (["trainer.threads=0"], ["trainer.threads is 0", "from 1 to the processors"]),
        (
            ["trainer.compiled=maybe"],
            ["trainer.compiled is 'maybe'; allowed is: auto or true or false"],
        ),
        (["trainer=gpu", "trainer.compiled=true"], ["trainer.compiled is True", "processors"]),
        (["seed=-1"], ["seed is -1", "from 0"]),
        (["data.batch_size=0"], ["data.batch_size is 0", "at least 1"]),
        (["data.dev_fraction=-0.2"], ["data.dev_fraction is -0.2", "from 0"]),
        (["tasks.syn_pos.max_length=-3"], ["tasks.syn_pos.max_length is -3", "at least 1"]),
        (["aux=syn_key", "sampler=proportional", "sampler.exponent=nan"], ["exponent is nan"]),
        (["sampler=weighted", "+sampler.weights.syn_pos=0.3"], ["names the main task", "twice"]),
        (["sampler=annealed", "sampler.half_life=0"], ["half_life is 0", "above 0"]),
        (["task_lr.main=0.1"], ["type `+task_lr.main=...`"]),
        (["+task_lr.main=-1"], ["task_lr is {'main': -1}", "above 0"]),
        (["loss_weights=equal"], ["loss_weights is 'equal'", "'uncertainty'"]),
        (["aux=syn_chu", "+loss_weights.syn_key=2"], ["loss_weights", "only tasks of the run"]),
        (["+model.private_layers.main=x"], ["'x' is not a whole number"]),
        (["+model.private_layers.main=-1"], ["private_layers is {'main': -1}", "from 0"]),
        (["main=lm_syn_pos", "+model.private_layers.main=1"], ["allowed is: 0 for a task"]),
        (["sweep_name=../../x"], ["sweep_name is '../../x'", "paths.output_dir"]),
        (["sweep_name=."], ["sweep_name is '.'", "paths.output_dir"]),
        (["sweep_name=-x"], ["sweep_name is '-x'", "begin with `-`"]),
        (["sweep_name=published"], ["sweep_name is 'published'", "the paper's own runs"]),
        (["paths.output_dir=/proc/x"], ["/proc/x", "paths.output_dir"]),
        (["data=eacl2017", "keep=last", "main=nodev"], ["8 sentences", "data.drop_last=false"]),
        (["model.hidden_size=0"], ["model.hidden_size is 0; allowed is: at least 1"]),
        (["model.dropout=2"], ["dropout is 2"]),
        (["model.label_weights=some"], ["'none' or 'balanced'"]),
        (["model.loss_over=all"], ["'words' or 'positions'"]),
        (["model.loss_over=positions"], ["model.loss_over", "data.max_length=28"]),
        (
            ["model.loss_over=positions", "data.max_length=9", "model.label_weights=balanced"],
            ["model.label_weights is 'balanced'", "`none`"],
        ),
        (["sampler=weighted", "sampler.weights.main=3"], ["sampler.weights", "at most 1"]),
        (["data.eval_split=tset"], ["data.eval_split is 'tset'", "train, dev, test"]),
        (
            ["data.dev_fraction=1"],
            ["data.dev_fraction"],
        ),
        (["data.batch_size=101"], ["only 100", "data.batch_size=100"]),
        (["steps_per_task=0"], ["steps_per_task is 0", "at least 1"]),
        (["main=syn_pos,syn_key"], ["-m", "several values"]),
        (["main=[syn_pos"], ["cannot be read", "take quotes for the shell"]),
        (["nonsense"], ["'nonsense' cannot be read", "key=value"]),
        (["tasks.chu.max_length=20"], ["task 'chu' is not in this run", "syn_pos", "main=chu"]),
        (["-m", "seed=0,1", "tasks.chu.max_length=20"], ["task 'chu' is not in this run"]),
        (["embeddings.dim=x"], ["embeddings.dim: 'x' is not a whole number"]),
        (
            ["embeddings.dim=-3"],
            ["dim is -3; it is a whole number from 1", "Given: embeddings.dim=-3"],
        ),
        (["embeddings.std=x"], ["embeddings.std: 'x' is not a number"]),
        (
            ["embeddings=file", "embeddings.dim=four"],
            ["embeddings.dim: 'four' is not a whole number"],
        ),
        (["embeddings.file=a.txt"], ["no key 'file'", "`embeddings=file embeddings.file=..."]),
        (["embeddings=file"], ["embeddings.file=<path>"]),
        (["embeddings=file", "embeddings.file=absent.txt"], ["there is no file 'absent.txt'"]),
        (["optimizer.learning_rate=1"], ["no key 'learning_rate'", "optimizer.lr, optimizer.rho"]),
        (["optimizer=adam", "optimizer.weight_decay=1"], ["+optimizer.weight_decay=..."]),
        (["+optimizer.foo=1"], ["has no option 'foo'", "Possible: optimizer.lr, optimizer.rho"]),
        (["trainer.max_epochs=3"], ["no key 'max_epochs'", "trainer.max_steps"]),
        (
            ["seed=0,1"],
            ["'seed=0,1' has several values", "python train.py -m main=syn_pos debug=quick"],
        ),
        (["seed=0", "seed=1"], ["seed is given twice: seed=0 and seed=1"]),
        (["aux=[syn_key,syn_key]"], ["names 'syn_key' twice"]),
        (["~optimizer"], ["every run needs `optimizer`"]),
        (["optimizer.lr=inf"], ["optimizer.lr is inf", "a finite number"]),
        (["aux=syn_key", "sampler.exponent=-1"], ["exponent is -1", "from 0"]),
        (["callbacks.progress=2"], ["callbacks.progress: '2' is not true or false"]),
        (["save_weights=2"], ["save_weights: '2' is not true or false"]),
        (["trainer.threads=1000"], ["trainer.threads is 1000", "processors of this machine"]),
        (["embeddings.min_count=0"], ["min_count is 0; it is a whole number from 1"]),
        (["embeddings.std=-1"], ["std is -1; it is a number from 0"]),
        (["encoder.loop=maybe"], ["no key 'loop'", "encoder.hidden_size"]),
        (["optimizer=null"], ["optimizer: 'null' is not a name"]),
        (["model=3"], ["model: '3' is not a name", "model.<key>=..."]),
        (
            ["-m", "aux=syn_key", "sampler=weighted", "sampler.weights.main=3"],
            ["sampler.weights: {'main': 3}", "at most 1"],
        ),
        (["+seed=3"], ["Leave out the `+`: seed=3"]),
        (["-m", "seed=0,x"], ["seed: 'x' is not a whole number"]),
        (
            ["optimizer._target_=torch.optim.Nothing"],
            ["optimizer._target_: 'torch.optim.Nothing' cannot be used"],
        ),
        (["data.dev_share=0.1"], ["data.dev_share is called data.dev_fraction now"]),
        (["data.whole_batches=true"], ["data.drop_last=true"]),
        (["data.cut_evaluation=true"], ["data.truncate_eval=true"]),
        (["data.curve_split=dev"], ["data.eval_split=dev"]),
        (["embeddings=glove_union"], ["MTL_BENCH_MIRROR", "embeddings=random"]),
    ],
)
def test_a_mistake_is_answered(command, own_task, arguments, expected):
    own_task("nodev")
    base = ["main=syn_pos"] if not any(a.startswith("main=") for a in arguments) else []
    if arguments == ["data.dev_fraction=1"]:
        base = ["main=nodev"]
    code, _, err = command(*base, "debug=quick", *arguments)
    assert code == 2, err
    for part in expected:
        assert part in err


@pytest.mark.parametrize(("launcher", "extra"), [("slurm", "submitit"), ("joblib", "joblib")])
def test_a_launcher_that_is_not_installed_is_answered(command, launcher, extra):
    if find_spec(f"hydra_plugins.hydra_{extra}_launcher"):
        pytest.skip(f"hydra-{extra}-launcher is installed")
    code, _, err = command("-m", "main=syn_pos", f"hydra/launcher={launcher}")
    assert code == 2, err
    assert f"hydra/launcher={launcher} needs" in err and f"mtl-bench[{extra}]" in err
    assert "Traceback" not in err
    assert "HYDRA_FULL_ERROR" not in err


def test_missing_data_names_address_place_and_licence(command, monkeypatch, tmp_path):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    code, _, err = command("main=chu")
    assert code == 2
    for part in (
        "https://",
        str(tmp_path / "cache/raw/conll2000/conll2000.zip"),
        "licence",
        "MTL_BENCH_MIRROR",
    ):
        assert part in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("files", "extra", "expected"),
    [
        ({"test": "Der\tART\n\n"}, "", ["no label in common", "DET, NOUN", "ART"]),
        ({}, "outside: O", ["outside is 'O'", "DET, NOUN"]),
        ({}, "spans: bio", ["spans is 'bio'", "DET"]),
        ({}, "spans: xml", ["spans is 'xml'; it is one of io, iob1, bio"]),
        ({"train": "The\tDET\nman\n"}, "", ["mine.train.tsv, line 2", "1 column where", "'man'"]),
        ({"train": b"The\tDET\nm\xe4n\tNOUN\n"}, "", ["line 2", "UTF-8"]),
        ({"test": "\n"}, "", ["the file is empty"]),
        ({}, "outsid: O", ["mine.yaml", "outsid"]),
        ({"train": "# a\nThe\tDET\n"}, "", ["line 1", "comment: '#'"]),
        ({}, "  lable: 3", ["task 'mine': its reader cannot be made", "lable"]),
        ({}, "  separator: ','", ["separator", "tab, blank"]),
    ],
)
def test_own_files_with_a_mistake_are_named(command, own_task, files, extra, expected):
    own_task(**{"train": BEGIN, "test": BEGIN, **files}, extra=extra)
    code, _, err = command("main=mine", "debug=quick")
    assert code == 2, err
    for part in expected:
        assert part in err
    assert "Traceback" not in err


def test_a_file_that_is_not_there_is_named(command, own_task):
    folder = own_task()
    (folder / "mine.test.tsv").unlink()
    code, _, err = command("main=mine", "debug=quick")
    assert code == 2
    assert "its test split: there is no file" in err
    assert "mine.test.tsv" in err
    assert "Traceback" not in err


def test_a_task_folder_that_is_none_is_named(command, monkeypatch):
    monkeypatch.setenv("MTL_BENCH_TASKS", "/no/such/folder")
    code, _, err = command("main=syn_pos")
    assert code == 2
    assert "MTL_BENCH_TASKS: '/no/such/folder'" in err
