// PostGraphile 5 as its documentation sets it up: the amber preset, production mode, plain HTTP on loopback.
//
// The owner rule is one condition, `visibleTo`, added with PostGraphile's own addPgTableCondition. Nothing checks a
// token here: the caller names the owner, so PostGraphile does less work than crm-graph, never more.
"use strict";

const { createServer } = require("node:http");
const { createRequire } = require("node:module");
const path = require("node:path");

const from = createRequire(path.join(process.env.NODE_PACKAGES, "package.json"));
const { postgraphile } = from("postgraphile");
const { PostGraphileAmberPreset } = from("postgraphile/presets/amber");
const { makePgService } = from("postgraphile/adaptors/pg");
const { addPgTableCondition } = from("postgraphile/utils");
const { TYPES } = from("postgraphile/@dataplan/pg");
const { grafserv } = from("postgraphile/grafserv/node");

const visibleTo = addPgTableCondition(
  { serviceName: "main", schemaName: "public", tableName: "deals" },
  "visibleTo",
  (build) => ({ type: build.getInputTypeByName("UUID") }),
  (value, { sqlTableAlias: deal, sql, sqlValueWithCodec }) => {
    const owner = sqlValueWithCodec(value, TYPES.uuid);
    return sql`${deal}.deleted_at is null and (${deal}.owner_id = ${owner} or ${deal}.owner_id is null)`;
  },
);

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [visibleTo],
  // It would keep `rank` out of orderBy, because the index that serves it starts with other columns.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  grafast: { explain: false },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false, websockets: false },
  pgServices: [
    makePgService({ schemas: ["public"], poolConfig: { max: 10, user: process.env.PGUSER }, pubsub: false }),
  ],
};

async function main() {
  const instance = postgraphile(preset).createServ(grafserv);
  const server = createServer();
  await instance.addTo(server);
  server.keepAliveTimeout = 600_000;
  server.listen(Number(process.env.PORT), "127.0.0.1");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
