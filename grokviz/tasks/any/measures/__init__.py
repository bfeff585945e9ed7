"""Measures of every run: functions of its weights, of what it logged, and of its path."""
