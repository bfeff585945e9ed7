"""The embedding in waves."""
