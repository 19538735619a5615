"""Many runs from one command: the plan, the workers, what a person sees."""
