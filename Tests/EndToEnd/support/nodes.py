"""Two servers on one PostgreSQL database, with one secret and one issuer, as behind a proxy."""

from collections.abc import Iterator

import pytest

from .portico import Portico
from .postgres import PostgresServer
from .tenant import tenant

SECRET = "the-secret-that-all-nodes-of-these-tests-have"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[list[Portico]]:
    """Both of them, running; tests of a module share them."""
    folder, database = tmp_path_factory.mktemp("nodes"), postgres_server.new_schema()
    first = Portico(folder / "first", database=database, secret=SECRET)
    second = Portico(folder / "second", database=database, secret=SECRET, issuer=first.issuer)
    first.apply(tenant())
    nodes = [node.start() for node in (first, second)]
    yield nodes
    for node in nodes:
        node.stop()


@pytest.fixture
def first(nodes: list[Portico]) -> Portico:
    return nodes[0]


@pytest.fixture
def second(nodes: list[Portico]) -> Portico:
    return nodes[1]
