"""Both ways of the inner loops."""

import pytest

from mtl_bench.models import kernels


@pytest.fixture(params=["plain", "compiled"])
def loops(request):
    """Use the compiled loops, or those of torch."""
    if request.param == "compiled" and kernels.compiler() is None:
        pytest.skip("needs a C++ compiler")
    assert kernels.use(request.param == "compiled") == request.param
    yield request.param
    kernels.use(False)
