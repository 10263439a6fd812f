"""``python -m cta`` is ``cta``."""

from cta.cli import main

main()
