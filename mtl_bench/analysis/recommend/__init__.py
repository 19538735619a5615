"""Which auxiliary to use, from runs that need not be finished."""
