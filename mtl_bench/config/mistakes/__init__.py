"""Mistakes of users: found before anything is composed or trained, and explained."""
