// Node-RED without editor, driven by lines: node nodered_peer.js NODE_RED_FOLDER USER_FOLDER FLOWS_FILE
// In: {"node": id, "message": {...}}. Out: {"ready": version}, then {"tap": id, "message": {...}} for what reaches a debug node,
// {"type": ...} tells Buffers and undefined apart.
"use strict";
const [, , folder, user, flows] = process.argv;
const path = require("path");
const RED = require(path.join(folder, "node_modules", "node-red"));
const server = require("http").createServer();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

RED.init(server, { userDir: user, flowFile: flows, httpAdminRoot: false, httpNodeRoot: false, disableEditor: true,
  telemetry: { enabled: false }, logging: { console: { level: "error" } }, functionGlobalContext: {} });
RED.hooks.add("preDeliver.tap", (event) => {
  const node = event.destination.node;
  if (node && node.type === "debug") {
    const { req, res, ...message } = event.msg;
    say({ tap: node.id, message });
  }
});
RED.events.once("flows:started", () => {
  say({ ready: RED.version() });
  require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { node, message } = JSON.parse(line, (key, value) =>
      value && value.type === "Buffer" && Array.isArray(value.data) ? Buffer.from(value.data) : value);
    RED.nodes.getNode(node).receive(message);
  }).on("close", () => process.exit(0));
});
RED.start().catch((error) => { console.error(error); process.exit(1); });
