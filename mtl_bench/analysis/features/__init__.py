"""Features of a task, a family each module: numbers from its data and its single run."""
