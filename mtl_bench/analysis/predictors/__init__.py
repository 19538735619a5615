"""Predictors of gain or loss."""
