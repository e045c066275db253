// What a function node finds around it, as Node-RED gives it. Evaluated once in each node's own QuickJS context.
// Nothing here reaches out: what the code does is put into `out` and carried to the agent by the worker.
// Entries of `out`: [kind, number of the message (0: none), JSON text].
"use strict";
(function (global) {
  const parse = JSON.parse, stringify = JSON.stringify;
  let out = [];
  let buffers = false;
  const MAX_OUT = 10000, MAX_TIMERS = 1000;

  function emit(kind, seq, value) {
    if (out.length >= MAX_OUT) throw new Error("More than " + MAX_OUT + " sends, statuses and log lines at once.");
    out.push([kind, seq, value === undefined ? "null" : stringify(value)]);
  }

  // --- Buffer: what functions use of Node's
  const latin = (bytes) => { let s = ""; for (const b of bytes) s += String.fromCharCode(b); return s; };
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  function encodeText(text) {
    const bytes = [];
    for (const letter of String(text)) {
      const c = letter.codePointAt(0);
      if (c < 0x80) bytes.push(c);
      else if (c < 0x800) bytes.push(0xc0 | c >> 6, 0x80 | c & 63);
      else if (c < 0x10000) bytes.push(0xe0 | c >> 12, 0x80 | c >> 6 & 63, 0x80 | c & 63);
      else bytes.push(0xf0 | c >> 18, 0x80 | c >> 12 & 63, 0x80 | c >> 6 & 63, 0x80 | c & 63);
    }
    return bytes;
  }
  function decodeText(bytes) {
    let s = "", i = 0;
    while (i < bytes.length) {
      const b = bytes[i++];
      if (b < 0x80) { s += String.fromCharCode(b); continue; }
      const more = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : b >= 0xc0 ? 1 : 0;
      let c = more === 0 ? 0xfffd : b & (0x3f >> more);
      for (let k = 0; k < more; k++) {
        if (i >= bytes.length || (bytes[i] & 0xc0) !== 0x80) { c = 0xfffd; break; }
        c = c << 6 | bytes[i++] & 63;
      }
      s += String.fromCodePoint(c > 0x10ffff ? 0xfffd : c);
    }
    return s;
  }
  function encode64(bytes) {
    let s = "";
    for (let i = 0; i < bytes.length; i += 3) {
      const n = bytes[i] << 16 | (bytes[i + 1] || 0) << 8 | (bytes[i + 2] || 0);
      s += alphabet[n >> 18] + alphabet[n >> 12 & 63] + (i + 1 < bytes.length ? alphabet[n >> 6 & 63] : "=") +
        (i + 2 < bytes.length ? alphabet[n & 63] : "=");
    }
    return s;
  }
  function decode64(text) {
    const bytes = []; let n = 0, bits = 0;
    for (const letter of text.replace(/-/g, "+").replace(/_/g, "/")) {
      const v = alphabet.indexOf(letter); if (v < 0) continue;
      n = n << 6 | v; bits += 6;
      if (bits >= 8) { bits -= 8; bytes.push(n >> bits & 255); }
    }
    return bytes;
  }
  class Buffer extends Uint8Array {
    static from(value, encoding) {
      let bytes = value;
      if (typeof value === "string") {
        const kind = String(encoding || "utf8").toLowerCase();
        if (kind === "hex") bytes = (value.match(/[0-9a-f]{2}/gi) || []).map((h) => parseInt(h, 16));
        else if (kind === "base64" || kind === "base64url") bytes = decode64(value);
        else if (kind === "latin1" || kind === "binary" || kind === "ascii") bytes = [...value].map((c) => c.charCodeAt(0) & 255);
        else bytes = encodeText(value);
      } else if (value && value.type === "Buffer") bytes = value.data;
      const made = new Buffer(bytes.length); made.set(bytes); return made;
    }
    static alloc(size, fill) { const made = new Buffer(size); if (fill) made.fill(fill); return made; }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(value) { return typeof value === "string" ? encodeText(value).length : value.length; }
    static concat(list) {
      const made = new Buffer(list.reduce((n, b) => n + b.length, 0)); let at = 0;
      for (const b of list) { made.set(b, at); at += b.length; }
      return made;
    }
    toString(encoding, start, end) {
      const bytes = this.subarray(start || 0, end === undefined ? this.length : end);
      const kind = String(encoding || "utf8").toLowerCase();
      if (kind === "hex") return Array.prototype.map.call(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
      if (kind === "base64") return encode64(bytes);
      if (kind === "latin1" || kind === "binary" || kind === "ascii") return latin(bytes);
      return decodeText(bytes);
    }
    toJSON() { buffers = true; return { type: "Buffer", data: Array.from(this) }; }
    equals(other) { return this.length === other.length && this.every((b, i) => b === other[i]); }
    slice(start, end) { return this.subarray(start, end); }
  }
  const view = (b) => new DataView(b.buffer, b.byteOffset, b.byteLength);
  const kinds = { UInt8: ["Uint8", 1], Int8: ["Int8", 1], UInt16: ["Uint16", 2], Int16: ["Int16", 2], UInt32: ["Uint32", 4],
    Int32: ["Int32", 4], Float: ["Float32", 4], Double: ["Float64", 8] };
  for (const [name, [kind, size]] of Object.entries(kinds)) for (const end of size === 1 ? [""] : ["LE", "BE"]) {
    Buffer.prototype["read" + name + end] = function (at) { return view(this)["get" + kind](at || 0, end === "LE"); };
    Buffer.prototype["write" + name + end] = function (v, at) {
      view(this)["set" + kind](at || 0, v, end === "LE"); return (at || 0) + size;
    };
  }
  const revive = (key, value) =>
    value && value.type === "Buffer" && Array.isArray(value.data) ? Buffer.from(value.data) : value;

  const clone = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (value instanceof Date) return new Date(value.getTime());
    if (value instanceof Uint8Array) return Buffer.from(value);
    if (Array.isArray(value)) return value.map(clone);
    const made = {}; for (const key of Object.keys(value)) made[key] = clone(value[key]); return made;
  };
  const id = () => { let s = ""; for (let i = 0; i < 16; i++) s += (Math.random() * 16 | 0).toString(16); return s; };

  // --- property paths in context keys: a.b[0].c
  const steps = (key) => String(key).replace(/^#:\([^)]*\)::/, "").match(/[^.[\]"']+/g) || [];
  function dig(values, key) {
    if (Object.prototype.hasOwnProperty.call(values, key)) return values[key];
    let found = values;
    for (const step of steps(key)) { if (found === null || found === undefined) return undefined; found = found[step]; }
    return found;
  }
  function bury(values, key, value) {
    const path = steps(key), first = path[0];
    if (path.length === 1) values[first] = value;
    else {
      let found = values;
      path.forEach((step, i) => {
        if (i === path.length - 1) found[step] = value;
        else { if (found[step] === null || typeof found[step] !== "object") found[step] = {}; found = found[step]; }
      });
    }
    return first;
  }

  const stores = { node: {}, flow: {}, global: {} };
  function store(scope) {
    const values = () => stores[scope];
    const answer = (rest, value) => {
      const call = rest.length && typeof rest[rest.length - 1] === "function" ? rest[rest.length - 1] : null;
      if (call) { Promise.resolve().then(() => call(null, value)); return undefined; }
      return value;
    };
    return {
      get(key, ...rest) {
        return answer(rest, Array.isArray(key) ? key.map((k) => clone(dig(values(), k))) : clone(dig(values(), key)));
      },
      set(key, value, ...rest) {
        const keys = Array.isArray(key) ? key : [key], given = Array.isArray(key) ? value : [value];
        keys.forEach((k, i) => {
          const first = bury(values(), k, clone(Array.isArray(given) ? given[i] : undefined));
          const kept = values()[first];
          if (kept === undefined) delete values()[first];
          emit("K", 0, [scope, first, kept === undefined ? null : kept]);
        });
        return answer(rest, undefined);
      },
      keys(...rest) { return answer(rest, Object.keys(values())); },
    };
  }

  // --- timers: the worker wakes `fire` when one is due
  const timers = new Map(); let lastTimer = 0;
  function addTimer(call, ms, repeat, args) {
    if (typeof call !== "function") throw new TypeError("A timer needs a function.");
    if (timers.size >= MAX_TIMERS) throw new Error("More than " + MAX_TIMERS + " timers.");
    const number = ++lastTimer, wait = Math.max(repeat ? 1 : 0, Number(ms) || 0);
    timers.set(number, { call, args, repeat, wait });
    emit("Z", 0, [number, wait]);
    return number;
  }
  global.setTimeout = (call, ms, ...args) => addTimer(call, ms, false, args);
  global.setInterval = (call, ms, ...args) => addTimer(call, ms, true, args);
  global.setImmediate = (call, ...args) => addTimer(call, 0, false, args);
  global.clearTimeout = global.clearInterval = global.clearImmediate = (number) => { timers.delete(number); };

  const show = (value) => typeof value === "string" ? value : value instanceof Error ? String(value) :
    value === undefined ? "undefined" : (() => { try { return stringify(value); } catch (e) { return String(value); } })();
  const say = (level) => (...values) => emit("W", 0, [level, values.map(show).join(" ")]);
  global.console = { log: say("info"), info: say("info"), warn: say("warning"), error: say("error"), debug: say("debug"),
    trace: say("debug") };
  global.Buffer = Buffer;

  let closing = [];
  const facts = {}, env = {};
  function outputs(value, msgid) {
    const check = (message) => {
      if (message === null || message === undefined) return null;
      if (typeof message !== "object" || Array.isArray(message) || message instanceof Uint8Array || message instanceof Date) {
        throw new TypeError("Function tried to send a message of type " +
          (Array.isArray(message) ? "array" : message instanceof Uint8Array ? "Buffer" : typeof message));
      }
      if (msgid !== undefined) message._msgid = msgid;
      return message;
    };
    if (!Array.isArray(value)) return [check(value)];
    return value.map((entry) => Array.isArray(entry) ? entry.map(check).filter((m) => m) : check(entry));
  }

  function makeNode(seq, msgid, finished) {
    return {
      id: facts.id, name: facts.name, path: facts.flow, outputCount: facts.outputs,
      log: say("info"), warn: say("warning"), debug: say("debug"), trace: say("debug"),
      error(error, message) {
        emit("Q", seq, [error instanceof Error ? String(error) : show(error), message === undefined ? null : message]);
      },
      status(value) {
        const given = typeof value === "object" && value !== null ? value : { text: String(value ?? "") };
        emit("T", seq, [given.text === undefined ? "" : String(given.text), given.fill || null, given.shape || "dot"]);
      },
      send(value) { const made = outputs(value, msgid); if (made.length !== 1 || made[0]) emit("S", seq, made); },
      done() { finished(); },
      on(event, call) { if (event === "close") closing.push(call); },
    };
  }

  const RED = { util: { cloneMessage: clone, generateId: id, evaluateNodeProperty(value, type) {
    return type === "num" ? Number(value) : type === "json" ? parse(value) : type === "bool" ? /^true$/i.test(value) : value; } } };
  const contexts = { node: store("node"), flow: store("flow"), global: store("global") };
  contexts.node.flow = contexts.flow; contexts.node.global = contexts.global;
  const environment = { get: (name) => name === "NR_NODE_ID" ? facts.id : name === "NR_NODE_NAME" ? facts.name :
    name === "NR_FLOW_ID" ? facts.flow : name === "NR_FLOW_NAME" ? facts.flowName : env[name] };
  const names = ["msg", "__send__", "__done__", "node", "context", "flow", "global", "env", "RED"];
  const AsyncFunction = (async function () {}).constructor;
  const compile = (code) => {
    try { return new Function(...names, code); }
    catch (error) {
      if (!(error instanceof SyntaxError) || !/\bawait\b/.test(code)) throw error;
      return new AsyncFunction(...names, code);
    }
  };
  const run = (made, msg, node) => made.call(undefined, msg, node.send, node.done, node, contexts.node, contexts.flow,
    contexts.global, environment, RED);

  let handler = null, finalizer = null;
  const api = {
    load(text) {
      const given = parse(text);
      Object.assign(facts, given.facts); Object.assign(env, given.env); Object.assign(stores, given.stores);
      handler = compile(given.code);
      if (given.finalize) finalizer = compile(given.finalize);
      if (!given.initialize) { emit("I", 0); return api.drain(); }
      const result = run(compile(given.initialize), undefined, makeNode(0, undefined, () => {}));
      if (result && typeof result.then === "function") {
        result.then(() => emit("I", 0), (error) => emit("J", 0, describe(error)));
      } else emit("I", 0);
      return api.drain();
    },
    call(seq, text, revived) {
      const msg = revived ? parse(text, revive) : parse(text), msgid = msg._msgid;
      let done = false;
      const finish = () => { if (!done) { done = true; emit("D", seq); } };
      const result = run(handler, msg, makeNode(seq, msgid, finish));
      if (result === undefined || result === null) {
        if (!out.length) return "N";
        return api.drain();
      }
      if (typeof result.then === "function") {
        emit("P", seq);
        result.then((value) => { emit("R", seq, value === undefined || value === null ? [] : outputs(value, msgid)); },
          (error) => emit("E", seq, describe(error)));
        return api.drain();
      }
      const made = stringify(outputs(result, msgid));
      if (!out.length) { const kind = buffers ? "B" : "R"; buffers = false; return kind + made; }
      out.push(["R", seq, made]);
      return api.drain();
    },
    drain() {
      if (!out.length) return "";
      const text = stringify([buffers, out]);
      out = []; buffers = false;
      return text;
    },
    fire(number) {
      const timer = timers.get(number);
      if (!timer) return "";
      if (timer.repeat) emit("Z", 0, [number, timer.wait]); else timers.delete(number);
      timer.call(...timer.args);
      return api.drain();
    },
    remember(text) {
      const [scope, key, value] = parse(text);
      if (value === null) delete stores[scope][key]; else stores[scope][key] = value;
      return "";
    },
    close() {
      timers.clear();
      for (const call of closing) { if (call.length) call(() => {}); else call(); }
      if (finalizer) run(finalizer, undefined, makeNode(0, undefined, () => {}));
      return api.drain();
    },
    forget() { out = []; buffers = false; return ""; },
  };
  function describe(error) {
    return error instanceof Error ? [String(error), String(error.stack || "")] : [show(error), ""];
  }
  for (const name of Object.keys(api)) Object.defineProperty(global, "__" + name, { value: api[name] });
})(globalThis);
