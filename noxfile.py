"""What is checked before a change goes in. `nox` alone runs lint, types, layers and tests.

Each session makes an environment of its own. The tests run against the package as it is installed from a wheel, not
against the checkout: a file that the wheel forgets fails here and not at a user's.
"""

import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["lint", "types", "layers", "tests"]
nox.options.error_on_missing_interpreters = False  # `pythons` says which it did not find

GROUPS = nox.project.load_toml("pyproject.toml")
PURE_COVERAGE_PERCENT = 95
PLACES = ("cta", "tests", "noxfile.py")


def install(session: nox.Session, *groups: str, package: bool = True) -> None:
    """The package from a wheel, and the dependency groups of pyproject.toml."""
    wanted = nox.project.dependency_groups(GROUPS, *groups) if groups else ()
    session.install(*([".", *wanted] if package else wanted))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, likely bugs and format; `nox -s lint -- --fix` repairs what can be repaired."""
    install(session, "lint", package=False)
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict, on the package and on the tests."""
    install(session, "types", "nox")
    session.run("mypy", *(session.posargs or PLACES))


@nox.session
def layers(session: nox.Session) -> None:
    """Imports go down (pyproject.toml, import-linter)."""
    install(session, "layers")
    session.run("lint-imports", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The default set, with branch coverage of the pure rooms; `nox -s tests -- tests/cli -k speed` runs a part of it."""
    install(session, "test")
    session.env["COVERAGE_FILE"] = str(Path(session.create_tmp()) / "coverage")
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    elsewhere = ["--ignore", "tests/e2e"]  # e2e has a session of its own
    session.run("pytest", "-n", "2", "--dist", "worksteal", *elsewhere, "--durations=5", "--cov", "--cov-report=")
    session.run("coverage", "report", f"--fail-under={PURE_COVERAGE_PERCENT}")


@nox.session
def e2e(session: nox.Session) -> None:
    """Against real services in containers. `-- --twins` builds their images here, `-- --strict` fails on any skip.

    The rest of the arguments is pytest's. A service whose CTA_* variable is set is used as it is (docs/stack.md). Two
    processes, each with services of its own: tests wait for services more than they work. One where Postgres is given:
    its `stations` is one table, which tests change.
    """
    install(session, "e2e")
    options = [option for option in session.posargs if option not in ("--twins", "--strict")]
    environment = {"CTA_E2E_STRICT": "1"} if "--strict" in session.posargs else {}
    if "--twins" in session.posargs:
        built = session.run("compose/offline/build", external=True, silent=True, stderr=None)
        exports = [line.removeprefix("export ") for line in str(built).splitlines() if line.startswith("export ")]
        environment |= dict(export.split("=", 1) for export in exports)
    paths = [] if any(option.startswith("tests") for option in options) else ["tests/e2e"]
    processes = "1" if os.environ.get("CTA_POSTGRES_DSN") else "2"
    command = ("pytest", "-n", processes, "--dist", "worksteal", "-m", "e2e", "--durations=5")
    session.run(*command, *options, *paths, env=environment)


@nox.session
def explore(session: nox.Session) -> None:
    """The laws with fresh examples, many of them: for a night, or for a change to the simulation."""
    install(session, "test")
    session.run("pytest", "-n", "auto", "--hypothesis-profile=explore", *session.posargs)


@nox.session
def golden(session: nox.Session) -> None:
    """Every scenario's digests against recordings/digests.json; `nox -s golden -- --accept` writes what came out."""
    install(session)
    session.run("python", "tests/golden/digests.py", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"])
def pythons(session: nox.Session) -> None:
    """The golden digests under each Python that is here; one that is missing is reported as skipped."""
    install(session)
    session.run("python", "tests/golden/digests.py")


@nox.session
def browser(session: nox.Session) -> None:
    """The status page in the machine's Chromium; skipped, and said so, where there is none."""
    install(session, "browser")
    session.run("pytest", "-m", "browser", "--durations=3", *(session.posargs or ["tests/web"]))


@nox.session
def pictures(session: nox.Session) -> None:
    """The pictures in README and docs, from the program's own output; those of the page need Chromium."""
    install(session, "browser")
    session.run("python", "docs/pictures.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed and memory as ratios to baselines in the same run (docs/performance.md)."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)
    if not session.posargs:
        session.run("python", "-m", "benchmarks.recording")
