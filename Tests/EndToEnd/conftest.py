"""The programs under test: started once where tests can share them, with fresh data where they cannot."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from auth0.management import ManagementClient

from support.application import Application
from support.callback import Callback
from support.management import SCOPE, managed, sdk
from support.portico import Portico
from support.postgres import PostgresServer
from support.programs import Program, binary, environment, free_ports
from support.tenant import API, WEB_APP, tenant

pytest_plugins = ["support.browser", "support.nodes"]

# Which database the tests run on; those of several nodes and of outages need PostgreSQL anyhow.
DATABASE = os.environ.get("PORTICO_TEST_DATABASE", "sqlite")


class Site:
    """The tutorial's three programs: the identity server, the web application and the API."""

    def __init__(self, folder: Path):
        server, web, api = free_ports(3)
        self.web_app, self.api = f"http://localhost:{web}", f"http://localhost:{api}"
        self.callback = Callback()
        self.portico = Portico(folder / "portico", port=server)
        self.portico.apply(tenant(self.web_app, [self.callback.url]))
        self.portico.start()
        common = {"ISSUER": self.portico.issuer, "AUDIENCE": API}
        self.programs = [
            Program(
                "AppointmentsAPI", [binary("AppointmentsAPI")], environment(**common, PORT=str(api)),
                folder / "api.log", f"{self.api}/health"),
            Program(
                "ExampleWebApp", [binary("ExampleWebApp")],
                environment(
                    **common, CLIENT_ID=WEB_APP.id, CLIENT_SECRET=WEB_APP.secret, API_URL=self.api, PORT=str(web),
                    BASE_URL=self.web_app),
                folder / "web-app.log", f"{self.web_app}/"),
        ]
        for program in self.programs:
            program.start()

    def stop(self) -> None:
        for program in self.programs:
            program.stop()
        self.portico.stop()
        self.callback.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that tests share; each takes a schema of its own, and nobody stops it."""
    server = PostgresServer()
    yield server
    server.end()


@pytest.fixture(scope="session", autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Has every installation that names no database on the one that the tests run on."""
    if DATABASE == "postgres":
        Portico.new_database = request.getfixturevalue("postgres_server").new_schema
    yield
    Portico.new_database = None


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The tutorial's programs over http."""
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


@pytest.fixture(scope="session")
def portico(site: Site) -> Portico:
    """The server that tests share; they change neither its tenant nor its keys."""
    return site.portico


@pytest.fixture(scope="session")
def secure_portico(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    """A shared server over https; the libraries that insist on it trust its authority as a developer does it."""
    portico = Portico(tmp_path_factory.mktemp("secure"), tls=True)
    portico.apply(tenant())
    portico.start()
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            patch.setenv(variable, str(portico.ca))
        yield portico
    portico.stop()


@pytest.fixture
def new_portico(tmp_path: Path) -> Iterator[Callable[..., Portico]]:
    """Makes installations that only this test has, neither applied to nor started."""
    made: list[Portico] = []

    def make(name: str = "portico", **options) -> Portico:
        made.append(Portico(tmp_path / name, **options))
        return made[-1]

    yield make
    for portico in made:
        portico.stop()


@pytest.fixture
def own_portico(new_portico: Callable[..., Portico]) -> Portico:
    """A running server with the tenant, which this test may change, stop and break."""
    portico = new_portico()
    portico.apply(tenant())
    return portico.start()


@pytest.fixture
def managed_scopes() -> list[str]:
    """What the `server` of a test may do beyond the usual by its Management API."""
    return []


@pytest.fixture
def server(
    new_portico: Callable[..., Portico], managed_scopes: list[str], monkeypatch: pytest.MonkeyPatch,
) -> Portico:
    """A running server with a Management API that this test may use; Python's libraries trust its authority."""
    portico = managed(new_portico, SCOPE + managed_scopes)
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(portico.ca))
    return portico


@pytest.fixture
def management(server: Portico) -> ManagementClient:
    """auth0-python's client of the `server`."""
    return sdk(server)


@pytest.fixture
def application(portico: Portico) -> Application:
    """The web application's credentials at the shared server."""
    return Application(portico)


def pytest_configure() -> None:
    if DATABASE not in ("sqlite", "postgres"):
        raise pytest.UsageError(f"PORTICO_TEST_DATABASE is '{DATABASE}'; it can be sqlite or postgres")


def pytest_report_header() -> str:
    return f"database: {DATABASE}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if DATABASE != "sqlite" and item.get_closest_marker("sqlite"):
        pytest.skip("it is about the SQLite file itself")
    for program in Program.started:
        program.mark()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Adds to a failure what the programs have logged meanwhile."""
    report = yield
    setattr(item, f"report_{report.when}", report)
    if report.failed:
        for program in Program.started:
            if news := program.news().strip():
                lines = news.splitlines()[-60:]
                report.sections.append((f"log of {program.name}", re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))))
    return report
