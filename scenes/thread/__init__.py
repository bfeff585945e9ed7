"""The thread as one film, and the films that only it needs."""
