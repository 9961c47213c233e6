"""METRICS_PORT and METRICS_HOST: what is refused, because it would show the metrics where they don't belong."""

import pytest
from pydantic import SecretStr

from crm_graph.errors import SetupError
from crm_graph.settings import Settings
from tests.support.settings_values import LONG


def load(**values: object) -> Settings:
    return Settings.load(_env_file=None, port=8000, **values)


def test_the_metrics_need_a_port_of_their_own() -> None:
    with pytest.raises(SetupError) as error:
        load(metrics_port=8000)
    assert str(error.value) == "METRICS_PORT and PORT are both 8000: the metrics need a port of their own"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "crm.internal"])
def test_an_address_that_other_machines_reach_needs_a_token(host: str) -> None:
    with pytest.raises(SetupError) as error:
        load(metrics_port=9464, metrics_host=host)
    assert str(error.value) == "METRICS_HOST lets other machines read the metrics: set METRICS_TOKEN too"
    assert load(metrics_port=9464, metrics_host=host, metrics_token=SecretStr(LONG)).metrics_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_alone_needs_none(host: str) -> None:
    assert load(metrics_port=9464, metrics_host=host).metrics_host == host
