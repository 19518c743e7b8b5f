"""Voting rounds: knows what is voted on only by reference and content digest."""
