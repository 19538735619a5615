"""How good predictors are, beside baselines."""
