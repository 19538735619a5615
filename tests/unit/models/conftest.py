"""Both ways of the inner loops."""

import pytest

from mtl_bench.models.kernels.compiled import compiler


@pytest.fixture(params=["torch", "compiled"])
def compiled(request):
    """Whether the inner loops are the compiled ones."""
    if request.param == "compiled" and compiler() is None:
        pytest.skip("needs a C++ compiler")
    return request.param == "compiled"
