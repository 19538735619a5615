"""Encoders: one state for each word."""
