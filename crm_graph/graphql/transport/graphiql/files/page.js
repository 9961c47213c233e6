"use strict";

// Queries and mutations by POST, subscriptions over a WebSocket with the headers that are entered.
const url = new URL("/graphql", window.location.href);
const subscriptionUrl = new URL(url);
subscriptionUrl.protocol = url.protocol.replace("http", "ws");

const query = `# Enter a token under Headers, below:
#   crm-graph token --owner ...
# Then re-fetch the schema (the round arrow),
# and run this with Ctrl-Enter.
{
  me { name email role }
}
`;

const editor = React.createElement(GraphiQL, {
  fetcher: GraphiQL.createFetcher({ url: url.href, subscriptionUrl: subscriptionUrl.href }),
  plugins: [GraphiQLPluginExplorer.explorerPlugin()],
  defaultQuery: query,
  defaultHeaders: '{\n  "Authorization": "Bearer "\n}',
  defaultEditorToolsVisibility: "headers",
  inputValueDeprecation: true,
  shouldPersistHeaders: true,
});

ReactDOM.createRoot(document.getElementById("graphiql")).render(editor);
