"""Many runs: plan, processes, display, estimate of the time."""
