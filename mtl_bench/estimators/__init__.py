"""Estimators: will an auxiliary help? One file each; `base.py` says what one has to do."""
