"""The bundled n8n workflows, checked against our schema, our routes and n8n's own rules, without an n8n.

That they run is shown elsewhere, in a real n8n; here are the mistakes that n8n tells late, in the wrong place or never.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    parse,
    type_from_ast,
    validate,
)

from tests.support.paths import PROJECT

FOLDER = PROJECT / "n8n_workflows"
README = (FOLDER / "README.md").read_text()
WORKFLOWS: dict[str, dict[str, Any]] = {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
BASE_URL = "={{ $('Configure').first().json.baseUrl }}"
TYPE_VERSIONS = {
    "crypto": 2,
    "graphql": 1.1,
    "httpRequest": 4.5,
    "if": 2.3,
    "respondToWebhook": 1.5,
    "set": 3.5,
    "stickyNote": 1,
    "stopAndError": 1,
    "switch": 3.4,
    "wait": 1.1,
    "webhook": 2.1,
}
# Sent twice, these change nothing more; every other mutation must not be retried by n8n.
SAFE_TO_RETRY = {"upsertContact", "moveDealStage"}

every_workflow = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS.keys())


def kind(node: dict[str, Any]) -> str:
    """The type of a node without the package it comes from."""
    return str(node["type"]).removeprefix("n8n-nodes-base.")


def nodes(workflow: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    """The nodes of these types."""
    return [node for node in workflow["nodes"] if kind(node) in kinds]


def successors(workflow: dict[str, Any], name: str) -> list[str]:
    """The names of the nodes that a node leads to, over all its outputs."""
    outputs = workflow["connections"].get(name, {}).get("main", [])
    return [link["node"] for output in outputs for link in output]


def reachable(workflow: dict[str, Any], name: str) -> set[str]:
    """The names of all nodes that run after this one."""
    found: set[str] = set()
    waiting = successors(workflow, name)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += successors(workflow, node)
    return found


def texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys excepted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


def expressions(text: str) -> list[str]:
    """The JavaScript in an n8n parameter, cut where n8n cuts it: at the first `}}`."""
    return re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL) if text.startswith("=") else []


def object_literal(source: str) -> dict[str, str]:
    """The entries of a JavaScript object literal: each key with the source of its value."""
    entries, depth, quoted, start = [], 0, "", 1
    source = source.strip()
    assert source[0] == "{"
    assert source[-1] == "}"
    for position, char in enumerate(source):
        if quoted:
            quoted = "" if char == quoted else quoted
        elif char in "'\"`":
            quoted = char
        else:
            depth += (char in "({[") - (char in ")}]")
            if (depth == 1 and char == ",") or depth == 0:
                entries.append(source[start:position])
                start = position + 1
    return {key.strip(): value.strip() for key, _, value in (entry.partition(":") for entry in entries)}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The committed schema, which another test compares with the code."""
    return build_schema((PROJECT / "schema.graphql").read_text())


def test_the_folder_has_the_four_workflows_and_the_readme_names_each() -> None:
    assert set(WORKFLOWS) == {
        "calcom_booking_ingest_workflow.json",
        "instantly_reply_ingest_workflow.json",
        "lead_form_to_deal.json",
        "stage_move.json",
    }
    for file, workflow in WORKFLOWS.items():
        (webhook,) = nodes(workflow, "webhook")
        assert f"| `{file}` | {workflow['name']} | `/webhook/{webhook['parameters']['path']}` |" in README
        assert workflow["id"] in README


def test_no_id_is_used_twice_across_the_files() -> None:
    """n8n overwrites a workflow of the same id, and the second webhook of one id or path is never called."""
    all_nodes = [node for workflow in WORKFLOWS.values() for node in workflow["nodes"]]
    used = Counter(
        [workflow["id"] for workflow in WORKFLOWS.values()]
        + [node["id"] for node in all_nodes]
        + [node["webhookId"] for node in all_nodes if "webhookId" in node]
        + [node["parameters"]["path"] for node in all_nodes if kind(node) == "webhook"]
    )
    assert [identity for identity, times in used.items() if times > 1] == []


@every_workflow
def test_imports_into_any_n8n(workflow: dict[str, Any]) -> None:
    assert set(workflow) == {"id", "name", "description", "tags", "nodes", "connections", "settings"}
    assert re.fullmatch(r"[A-Za-z0-9]{16}", workflow["id"])
    # Without the tag's id, n8n makes it once per file and the second import breaks a unique constraint.
    assert all(tag["id"] and tag["name"] for tag in workflow["tags"])
    # "combined" would move the raw body into the JSON, and the relays would sign something else.
    assert workflow["settings"]["executionOrder"] == "v1"
    assert workflow["settings"]["binaryMode"] == "separate"
    names = [node["name"] for node in workflow["nodes"]]
    assert len(names) == len(set(names))
    for node in workflow["nodes"]:
        assert node["typeVersion"] == TYPE_VERSIONS[kind(node)], node["name"]
        assert ("webhookId" in node) == (kind(node) in ("webhook", "wait")), node["name"]


@every_workflow
def test_every_node_is_connected_and_the_caller_always_gets_an_answer(workflow: dict[str, Any]) -> None:
    names = {node["name"] for node in workflow["nodes"]}
    (webhook,) = nodes(workflow, "webhook")
    (note,) = nodes(workflow, "stickyNote")
    targets = {target for name in workflow["connections"] for target in successors(workflow, name)}
    assert set(workflow["connections"]) | targets <= names
    assert reachable(workflow, webhook["name"]) == names - {webhook["name"], note["name"]}
    # Whatever ends a branch is an answer or comes after one; every answer says its status.
    answers = {node["name"] for node in nodes(workflow, "respondToWebhook")}
    after_an_answer = answers.union(*(reachable(workflow, answer) for answer in answers))
    assert {name for name in names - {note["name"]} if not successors(workflow, name)} <= after_an_answer
    for node in nodes(workflow, "respondToWebhook"):
        assert node["parameters"]["options"]["responseCode"], node["name"]
    for node in nodes(workflow, "switch"):
        assert node["parameters"]["options"]["fallbackOutput"] == "extra", node["name"]
        assert len(workflow["connections"][node["name"]]["main"]) == len(node["parameters"]["rules"]["values"]) + 1


@every_workflow
def test_expressions_end_where_they_should_and_read_nodes_that_ran(workflow: dict[str, Any]) -> None:
    for node in workflow["nodes"]:
        for text in texts(node["parameters"]):
            for expression in expressions(text):
                plain = re.sub(r"'[^']*'", "''", expression)
                assert Counter(plain)["{"] == Counter(plain)["}"], f"`}}}}` ends early in {node['name']}: {text}"
                assert Counter(plain)["("] == Counter(plain)[")"], node["name"]
                for name in re.findall(r"\$\('([^']+)'\)", expression):
                    assert node["name"] in reachable(workflow, name), f"{node['name']} reads {name}"
            if not expressions(text) and kind(node) != "stickyNote":
                assert not re.search(r"\{\{|\}\}", text), f"not an expression in {node['name']}: {text}"


@every_workflow
def test_graphql_fits_our_schema(workflow: dict[str, Any], schema: GraphQLSchema) -> None:
    for node in nodes(workflow, "graphql"):
        document = parse(node["parameters"]["query"])
        assert [str(error) for error in validate(schema, document)] == []
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name is not None
        assert node["parameters"]["operationName"] == operation.name.value
        (source,) = expressions(node["parameters"]["variables"])
        given = object_literal(source)
        assert set(given) == {variable.variable.name.value for variable in operation.variable_definitions or ()}
        for variable in operation.variable_definitions or ():
            declared = get_named_type(type_from_ast(schema, variable.type))
            if isinstance(declared, GraphQLInputObjectType):
                fields = object_literal(given[variable.variable.name.value])
                required = {name for name, field in declared.fields.items() if str(field.type).endswith("!")}
                assert required <= set(fields) <= set(declared.fields), node["name"]


@every_workflow
def test_graphql_nodes_fail_loudly_and_retry_only_what_is_safe(workflow: dict[str, Any]) -> None:
    """An error output would fire together with the normal one; a retried creation would create twice."""
    for node in nodes(workflow, "graphql"):
        (operation,) = parse(node["parameters"]["query"]).definitions
        assert isinstance(operation, OperationDefinitionNode)
        fields = {field.name.value for field in operation.selection_set.selections if isinstance(field, FieldNode)}
        assert "onError" not in node
        assert "continueOnFail" not in node
        assert node.get("retryOnFail", False) == (operation.operation.value == "query" or fields <= SAFE_TO_RETRY)
        assert node["parameters"]["authentication"] == "predefinedCredentialType"
        assert node["parameters"]["nodeCredentialType"] == "httpBearerAuth"
        assert workflow["settings"]["executionTimeout"] <= 60, "the GraphQL node has no timeout of its own"


@every_workflow
async def test_every_url_is_one_of_ours(workflow: dict[str, Any], client: httpx.AsyncClient) -> None:
    """Unknown paths and providers answer 404; what exists refuses a call without a signature or token."""
    for node in nodes(workflow, "graphql", "httpRequest"):
        url = node["parameters"].get("endpoint") or node["parameters"]["url"]
        assert url.startswith(BASE_URL), node["name"]
        assert (await client.post(url.removeprefix(BASE_URL), json={})).status_code in (400, 401), url


@every_workflow
def test_a_webhook_is_protected_and_a_relay_forwards_the_bytes_that_it_signed(workflow: dict[str, Any]) -> None:
    (webhook,) = nodes(workflow, "webhook")
    assert webhook["parameters"]["responseMode"] == "responseNode"
    verified = "x-cal-signature-256" in json.dumps(nodes(workflow, "if"))
    assert verified or webhook["parameters"]["authentication"] == "headerAuth"
    raw_body = f"={{{{ $('{webhook['name']}').first().binary.data }}}}"
    hmac = {"action": "hmac", "binaryData": True, "binaryPropertyName": raw_body, "type": "SHA256", "encoding": "hex"}
    for node in nodes(workflow, "crypto"):
        assert webhook["parameters"]["options"]["rawBody"] is True
        assert node["parameters"].items() >= hmac.items()
    for node in nodes(workflow, "httpRequest"):
        sent, options = node["parameters"], node["parameters"]["options"]
        assert (sent["contentType"], sent["inputDataFieldName"]) == ("binaryData", raw_body)
        assert sent["headerParameters"]["parameters"] == [
            {"name": "X-Signature", "value": "=sha256={{ $json.signature }}"}
        ]
        assert 0 < options["timeout"] <= 20_000, "n8n's own default is five minutes"
        assert options["redirect"] == {"redirect": {"followRedirects": False}}
        assert options["response"] == {"response": {"fullResponse": True, "neverError": True}}
        assert node["onError"] == "continueErrorOutput"
        assert node["retryOnFail"] is True


def test_the_readme_and_the_sticky_notes_tell_every_credential_by_its_exact_name() -> None:
    documented = {(name, type_) for name, type_ in re.findall(r"^\| `([^`]+)` \| [\w ]+ \(`(\w+)`\) \|", README, re.M)}
    used = set()
    for workflow in WORKFLOWS.values():
        (note,) = nodes(workflow, "stickyNote")
        (webhook,) = nodes(workflow, "webhook")
        assert f"/webhook/{webhook['parameters']['path']}" in note["parameters"]["content"]
        for node in workflow["nodes"]:
            for type_, reference in node.get("credentials", {}).items():
                assert set(reference) == {"id", "name"}
                assert f"`{reference['name']}`" in note["parameters"]["content"]
                used.add((reference["name"], type_))
    assert used == documented


@every_workflow
def test_nothing_that_looks_like_a_secret_is_in_the_file(workflow: dict[str, Any]) -> None:
    for text in texts([node["parameters"] for node in workflow["nodes"]]):
        assert not re.search(r"eyJ\w{8}|whsec_|Bearer \S{16}|[0-9A-Fa-f]{24}|[A-Za-z0-9+_]{40}", text), text
    assert not re.search(r"\$env|\$vars", json.dumps(workflow)), "denied by default, or paid"
