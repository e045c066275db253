// The device's own page: what it is, whether its cloud hears it, its flows, and a place for a provisioning code.
"use strict";

const api = "/api/v1";
const find = (id) => document.getElementById(id);
let token = sessionStorage.getItem("edgeflow-token") ?? "";

async function call(method, path, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(api + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const found = await answer.json();
  if (answer.status === 401) find("unlock").hidden = false;
  if (!answer.ok) throw new Error(found.error ?? `HTTP ${answer.status}`);
  return found;
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function list(target, rows) {
  target.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

const bytes = (number) => `${(number / 1024 ** 3).toFixed(1)} GB`;
const percent = (number) => `${Math.round(number)} %`;

function showStatus(status, config) {
  const badge = find("link");
  badge.textContent = status.connected ? "Connected" : status.status.replaceAll("_", " ");
  badge.className = `badge ${status.connected ? "good" : "bad"}`;
  list(find("status"), [
    ["Device", status.device_id || "not provisioned"],
    ["Cloud", config.server_url || "not configured"],
    ...(status.detail ? [["State", status.detail]] : []),
    ...(status.uptime ? [["Connected for", status.uptime]] : []),
    ["Waiting measurements", String(status.waiting_samples)],
    ["Agent", status.agent_version],
  ]);
}

function showMachine(info, stats) {
  find("name").textContent = info.hostname;
  find("machine").textContent = [info.board_model, info.os, info.arch].filter(Boolean).join(" · ");
  list(find("resources"), [
    ["Processor", `${percent(stats.cpu.usage_percent)} of ${stats.cpu.cores} cores`],
    ["Memory", `${percent(stats.memory.percent)} of ${bytes(stats.memory.total_bytes)}`],
    ["Disk", `${percent(stats.disk.percent)} of ${bytes(stats.disk.total_bytes)}`],
    ...(stats.temperature ? [["Temperature", `${Math.round(stats.temperature)} °C`]] : []),
    ["Load", stats.load_avg["1min"].toFixed(2)],
  ]);
}

function showFlows(flows) {
  const rows = flows.map((flow) => {
    const row = element("li");
    const text = element("div");
    text.append(element("strong", flow.name), element("div", `${flow.state.replaceAll("_", " ")} · version ${flow.version} · ${flow.node_count} nodes`, "quiet"));
    if (flow.error) text.append(element("div", flow.error, "error"));
    const runs = flow.status === "running";
    const button = element("button", runs ? "Stop" : "Start", "plain");
    button.type = "button";
    button.setAttribute("aria-label", `${runs ? "Stop" : "Start"} ${flow.name}`);
    button.addEventListener("click", () => act(button, "POST", `/flows/${encodeURIComponent(flow.id)}/${runs ? "stop" : "start"}`));
    row.append(text, button);
    return row;
  });
  find("flows").replaceChildren(...(rows.length ? rows : [element("li", "No flow is on this device yet.", "quiet")]));
}

function showLock(lock) {
  find("lock").textContent = lock.locked ? "Unlock updates" : "Lock updates";
  find("lock").dataset.locked = lock.locked;
  find("locked").hidden = !lock.locked;
  find("locked").textContent = `Updates from the cloud wait. ${lock.reason}`;
}

async function act(button, method, path, body) {
  button.disabled = true;
  try {
    const answer = await call(method, path, body);
    say("");
    return answer;
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
    await refresh();
  }
}

function say(sentence) {
  find("problem").textContent = sentence;
  find("problem").hidden = !sentence;
}

let refreshing = false;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    const [status, config, info, stats, flows, lock] = await Promise.all(
      ["/saas/status", "/saas/config", "/system/info", "/resources/stats", "/flows", "/update-lock"].map((path) => call("GET", path)),
    );
    showStatus(status, config);
    showMachine(info, stats);
    showFlows(flows.flows);
    showLock(lock);
  } catch (error) {
    find("link").textContent = "No answer";
    find("link").className = "badge bad";
    if (!(error instanceof TypeError)) say(error.message);
  } finally {
    refreshing = false;
  }
}

function watch() {
  const protocols = token ? ["edgeflow", `bearer.${token}`] : ["edgeflow"];
  const socket = new WebSocket(`ws://${location.host}/ws`, protocols);
  socket.addEventListener("open", () => (find("watching").textContent = "watching"));
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === "flow_status") void refresh();
    const line = describe(frame);
    if (!line) return;
    const log = find("log");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const row = element("li", undefined, frame.data.level ?? "");
    row.append(element("time", new Date(frame.timestamp).toLocaleTimeString()), line);
    log.append(row);
    while (log.childElementCount > 200) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
  socket.addEventListener("close", () => {
    find("watching").textContent = "not watching";
    setTimeout(watch, 3000);
  });
}

function describe({ type, data }) {
  switch (type) {
    case "log": return data.message;
    case "notification": return data.message;
    case "execution_ended": return `${data.flow_name || data.flow_id}: execution ${data.status}${data.error ? ` – ${data.error}` : ""}`;
    case "debug": return `${data.name || data.node_id}: ${typeof data.value === "string" ? data.value : JSON.stringify(data.value)}`;
    default: return "";
  }
}

find("provision").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await act(event.submitter, "POST", "/saas/provision", { provisioning_code: find("code").value });
  find("said").textContent = answer ? `This is ${answer.device_id} now.` : "";
  if (answer) find("code").value = "";
});
find("lock").addEventListener("click", () =>
  act(find("lock"), "PUT", "/update-lock", { locked: find("lock").dataset.locked !== "true", reason: "Locked on the device's page." }));
find("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("token").value;
  sessionStorage.setItem("edgeflow-token", token);
  find("unlock").hidden = true;
  say("");
  void refresh();
});

void refresh();
watch();
setInterval(refresh, 5000);
