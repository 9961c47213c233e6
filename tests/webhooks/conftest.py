"""One application for all tests here: it keeps no state between requests, and creating it takes 70 ms."""

import pytest
from fastapi import FastAPI

from crm_graph.database.engine import Database
from crm_graph.server.app import create_app
from crm_graph.settings import Settings


@pytest.fixture(scope="session")
def _app(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings, database)


@pytest.fixture
def app(_app: FastAPI, clean: None) -> FastAPI:
    """The application, on a clean database."""
    return _app
