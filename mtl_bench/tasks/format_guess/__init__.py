"""What format a file has: guessed from its content, and explained."""
