"""Training behind Hydra: the application, its command line, and what follows a sweep."""
