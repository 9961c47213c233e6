"""The SQL that crm-graph sends for a document, for pgbench and EXPLAIN."""

import re
import uuid
from typing import Any

from graphql import VariableValues, get_variable_values
from psycopg import sql

from crm_graph.graphql.engine.compiler import Compiler
from crm_graph.graphql.engine.documents import Documents
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.identity.principal import Principal
from crm_graph.models import Role
from crm_graph.values import utc_now


def sent_sql(document: str, variables: dict[str, Any], owner_id: uuid.UUID, role: Role) -> str:
    """The statement that answers `document` for this caller, with its parameters as constants."""
    operation = Documents(graphql_schema(build_schema()), is_development=False).operation(document, None, variables)
    coerced = get_variable_values(operation.schema, operation.node.variable_definitions or (), variables)
    assert isinstance(coerced, VariableValues), coerced
    inputs = PlanInputs(Principal(owner_id, role), utc_now(), coerced)
    compiler = Compiler(operation, inputs.principal, coerced)
    plan = compiler.query([fields for _key, fields in compiler.root_fields()])
    values = plan.parameters(inputs)
    return re.sub(r"\$(\d+)", lambda match: sql.quote(values[int(match[1]) - 1]), plan.sql)
