"""Both ways of the inner loops, and tiny pretrained models."""

import pytest

from mtl_bench.models import kernels
from tests import tiny_models


@pytest.fixture(params=["plain", "compiled"])
def loops(request):
    """Use the compiled loops, or those of torch."""
    if request.param == "compiled" and kernels.compiler() is None:
        pytest.skip("needs a C++ compiler")
    assert kernels.use(request.param == "compiled") == request.param
    yield request.param
    kernels.use(False)


@pytest.fixture(scope="session")
def pretrained_folder(tmp_path_factory):
    """Make the folder of a tiny model of a type and options, once; return its path."""
    made = {}

    def make(kind="bert", **options):
        key = kind, *sorted(options.items())
        if key not in made:
            made[key] = tmp_path_factory.mktemp(kind)
            tiny_models.save_model(made[key], kind, **options)
        return str(made[key])

    return make
