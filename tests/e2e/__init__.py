"""Tests against real services: ``nox -s e2e``."""
