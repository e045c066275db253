// Runs S10's flow in Node-RED without editor: node nodered.js NODE_RED_FOLDER USER_FOLDER FLOWS_FILE SECONDS
"use strict";
const [, , folder, user, flows, seconds] = process.argv;
const http = require("http");
const path = require("path");
const RED = require(path.join(folder, "node_modules", "node-red"));
const WINDOW = 200;
const make = (n) => ({ topic: "line" + n % 7, payload: { value: n % 100, time: 1700000000 + n } });
let count = 0, last = null;

require("fs").mkdirSync(path.join(user, "nodes"), { recursive: true });
global.s10 = { received(msg) {
  last = msg; count++;
  RED.nodes.getNode("change").receive(make(count + WINDOW));
} };
require("fs").writeFileSync(path.join(user, "nodes", "sink.js"), `module.exports = (RED) => RED.nodes.registerType(
  "s10-sink", function (n) { RED.nodes.createNode(this, n); this.on("input", (msg, send, done) => { done(); global.s10.received(msg); }); });`);
require("fs").writeFileSync(path.join(user, "nodes", "sink.html"), "<script type='text/javascript'></script>");

const server = http.createServer();
RED.init(server, { userDir: user, flowFile: flows, httpAdminRoot: false, httpNodeRoot: false, logging: { console: { level: "error" } },
  functionGlobalContext: {}, telemetry: { enabled: false }, disableEditor: true, nodesDir: path.join(user, "nodes") });
RED.events.once("flows:started", () => {
  for (let n = 0; n < WINDOW; n++) RED.nodes.getNode("change").receive(make(n));
  setTimeout(() => {
    const began = process.hrtime.bigint(), before = count, spent = process.cpuUsage();
    setTimeout(() => {
      const rate = (count - before) / (Number(process.hrtime.bigint() - began) / 1e9);
      const used = process.cpuUsage(spent), cpu_rate = (count - before) / ((used.user + used.system) / 1e6);
      console.log(JSON.stringify({ rate, cpu_rate, rss: [process.memoryUsage().rss / 1e6], payload: last && last.payload, version: RED.version() }));
      process.exit(0);
    }, seconds * 1000);
  }, Math.min(1000, seconds * 333));
});
RED.start().catch((error) => { console.error(error); process.exit(1); });
