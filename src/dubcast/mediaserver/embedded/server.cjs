// The embedded media server: node-media-server 4.4.3 with the behaviour dubcast needs.
//
// For development and demo, where no MediaMTX binary can be had. It uses internals of that one
// version, so the version is pinned exactly and tests/integration/test_embedded_server.py holds
// one test for each change made here:
//   1. media goes out on message stream 1 (rtmp2src ignores stream 0);
//   2. nested names: `live/<id>/in` is a path;
//   3. no grace: a publisher that comes back starts a fresh timeline (no A/V skew);
//   4. readers get the end of the stream as soon as the publisher is gone;
//   5. a malformed packet ends its own connection, not the process;
//   6. publishers of `in` that fall silent are dropped, sockets are not delayed;
//   7. publishers are authorised before they are accepted, and a second one is refused;
//   8. signed hooks, a list of paths and `kick`, in the form that the orchestrator knows.
//
// Settings come as one JSON line on standard input (secrets stay out of the process list); the
// end of standard input means that the parent is gone, and ends this process too. One JSON line
// on standard output says that it listens. Everything else goes to standard error.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");
const net = require("node:net");
const path = require("node:path");
const querystring = require("node:querystring");
const readline = require("node:readline");
const { createRequire } = require("node:module");
const v8 = require("node:v8");
const vm = require("node:vm");

const PATH = /^live\/[a-z0-9][a-z0-9_-]{0,63}\/(in|out(-[A-Za-z0-9-]{1,16})?)$/;
const INGEST = /\/in$/;
const KEYS = new Set(["key", "token", "jwt", "pass", "password", "user"]); // in a query
const IDENTIFY_MS = 10_000; // a connection that neither publishes nor plays
const MAX_READER_BACKLOG = 16 * 1024 * 1024; // bytes waiting for a slow reader
const MAX_CHUNK_STREAMS = 64;
const MAX_CHUNK_SIZE = 16 * 1024 * 1024;
// Media passes through buffers outside of V8's heap, and it lets some 64 MB of dead ones stand.
const COLLECT_MS = 10_000;
const HOOK_RETRY_MS = [0, 500, 1000];

process.stderr.on("error", () => {}); // whoever read our lines is gone: the streams go on

let config;
let Context, BroadcastServer, Rtmp, RtmpSession, FlvSession;

function log(event, fields = {}) {
  const line = { ts: new Date().toISOString(), component: "media-server", event, ...fields };
  process.stderr.write(JSON.stringify(line) + "\n");
}

function load(modules) {
  const from = createRequire(path.join(modules, "package.json"));
  const part = (name) => from(`node-media-server/src/${name}`);
  const found = from("node-media-server/package.json").version;
  if (found !== "4.4.3") throw new Error(`node-media-server ${found} is installed, not 4.4.3`);
  part("core/logger.js").log = () => {}; // its lines hold URLs; ours say what matters
  Context = part("core/context.js");
  BroadcastServer = part("server/broadcast_server.js");
  Rtmp = part("protocol/rtmp.js");
  RtmpSession = part("session/rtmp_session.js");
  FlvSession = part("session/flv_session.js");
  const create = Rtmp.createMessage;
  Rtmp.createMessage = (packet) => {
    const message = create(packet);
    message.writeUInt32LE(1, 8); // after the basic header (1), timestamp, length and type (7)
    return message;
  };
}

// ---- paths and sessions -------------------------------------------------------------------

/** `{path, query}` of an RTMP app and name; the query may follow either. */
function resolve(app, name) {
  const [appPath, appQuery] = String(app ?? "").split("?");
  const [namePath, nameQuery] = String(name ?? "").split("?");
  const joined = `${appPath}/${namePath}`.replace(/^\/+|\/+$/g, "").replace(/\/{2,}/g, "/");
  return { path: joined, query: [appQuery, nameQuery].filter(Boolean).join("&") };
}

/** A query without what may be a key. */
function withoutKeys(query) {
  const name = (part) => querystring.unescape(part.split("=")[0]).trim().toLowerCase();
  return query.split("&").filter((part) => !KEYS.has(name(part))).join("&");
}

function broadcastOf(streamPath) {
  let broadcast = Context.broadcasts.get(streamPath);
  if (!broadcast) {
    broadcast = new BroadcastServer(streamPath);
    Context.broadcasts.set(streamPath, broadcast);
  }
  return broadcast;
}

function isLoopback(address) {
  return address === "::1" || /^(::ffff:)?127\./.test(address ?? "");
}

/** "" if the session may do `action` ("publish" or "read") on its path, else why not. */
async function refusal(action, session, streamPath, query) {
  const unknown = !PATH.test(streamPath);
  const denied = `${action} is not allowed`;
  if (unknown && action === "read") return denied;
  const address = session.remoteAddress;
  const ingest = action === "publish" && INGEST.test(streamPath);
  if (isLoopback(address) && !ingest && !unknown) return ""; // the worker and the egress, on this machine
  const fields = querystring.parse(query);
  const body = {
    user: String(fields.user ?? ""), password: String(fields.pass ?? ""),
    token: String(fields.token ?? ""), ip: address ?? "", action, path: streamPath,
    protocol: session.protocol, id: session.id, query, userAgent: "",
  };
  try {
    const reply = await fetch(config.authUrl, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: config.authHeader },
      body: JSON.stringify(body), signal: AbortSignal.timeout(2000), redirect: "error",
    });
    if (reply.ok) return unknown ? denied : "";
    return `${denied}: ${wordsOf(await reply.text())}`.replace(/: $/, "");
  } catch (error) {
    log("auth.unreachable", { path: streamPath, reason: error.name });
    return ingest && !unknown && !config.authRequired ? "" : denied;
  }
}

/** What the control plane says of a refusal, by itself or in JSON. */
function wordsOf(body) {
  try {
    return String(JSON.parse(body).detail ?? "");
  } catch {
    return body.slice(0, 200);
  }
}

function refuse(session, code, why) {
  log("session.refused", { path: session.streamPath, reason: why });
  session.rtmp.sendStatusMessage(session.rtmp.streamId ?? 1, "error", code, why);
  session.socket.end();
}

function accept(session, broadcast, streamPath, query) {
  session.broadcast = broadcast;
  session.streamPath = streamPath;
  session.query = withoutKeys(query); // what is told to others
  session.identified = true;
}

async function onPublish(session, message) {
  const { path: streamPath, query } = resolve(session.rtmp.streamApp, message.streamName);
  session.streamPath = streamPath;
  session.rtmp.streamId = session.rtmp.parserPacket.header.stream_id;
  if (session.asked) return session.socket.destroy(); // one publish or play per connection
  session.asked = true;
  const why = await refusal("publish", session, streamPath, query);
  if (session.socket.destroyed) return;
  if (why) return refuse(session, "NetStream.Publish.Denied", why);
  const broadcast = broadcastOf(streamPath);
  if (broadcast.publisher !== null) {
    return refuse(session, "NetStream.Publish.BadName", "the path already has a publisher");
  }
  accept(session, broadcast, streamPath, query);
  session.isPublisher = true;
  session.rtmp.streamName = message.streamName.split("?")[0];
  broadcast.postPublish(session);
  session.rtmp.respondPublish();
  // A worker has nothing to send until its delay has passed, and while its publisher is away: its
  // forwarders keep their destinations for so long too. One that hangs is killed by its supervisor.
  session.socket.setTimeout(
    INGEST.test(streamPath)
      ? config.silentPublisherMs
      : Math.max(config.silentPublisherMs, config.silentOutputMs),
  );
  log("publisher.up", { path: streamPath, sourceId: session.id });
  hook("ready", session);
}

async function onPlay(session, message) {
  const { path: streamPath, query } = resolve(session.rtmp.streamApp, message.streamName);
  session.streamPath = streamPath;
  session.rtmp.streamId = session.rtmp.parserPacket.header.stream_id;
  if (session.asked) return session.socket.destroy();
  session.asked = true;
  const why = await refusal("read", session, streamPath, query);
  if (session.socket.destroyed) return;
  if (why) return refuse(session, "NetStream.Play.Failed", why);
  const broadcast = broadcastOf(streamPath);
  accept(session, broadcast, streamPath, query);
  session.rtmp.streamName = message.streamName.split("?")[0];
  session.rtmp.respondPlay();
  session.socket.setTimeout(0);
  broadcast.postPlay(session);
}

function onClose(session) {
  Context.sessions.delete(session.id);
  if (!session.identified) return;
  const broadcast = session.broadcast;
  if (!session.isPublisher) return broadcast.donePlay(session);
  broadcast.donePublish(session);
  broadcast._finishPublish(); // at once: stock keeps the path, and its timeline, for 30 s
  for (const reader of broadcast.subscribers.values()) reader.close();
  log("publisher.down", { path: session.streamPath, sourceId: session.id });
  hook("not-ready", session);
}

/** Everything a peer sends is parsed here: what it breaks is its own connection. */
function guarded(session, step) {
  const failed = (error) => {
    log("session.broken", { reason: error.code ?? error.name });
    session.socket.destroy();
  };
  try {
    const pending = step();
    if (pending instanceof Promise) pending.catch(failed);
    if (session.rtmp.inPackets.size > MAX_CHUNK_STREAMS) failed(new RangeError("chunk streams"));
  } catch (error) {
    failed(error);
  }
}

function onConnection(socket) {
  const session = new RtmpSession(socket);
  session.remoteAddress = socket.remoteAddress;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 5000);
  socket.setTimeout(IDENTIFY_MS, () => {
    log("session.silent", { path: session.streamPath });
    socket.destroy();
  });
  const parse = session.onData;
  session.onData = (data) => guarded(session, () => parse(data));
  session.onClose = () => onClose(session);
  session.onPacket = (packet) => {
    if (session.isPublisher && session.identified) session.broadcast.broadcastMessage(packet);
  };
  session.sendBuffer = (buffer) => {
    if (socket.writableLength > MAX_READER_BACKLOG) {
      log("reader.slow", { path: session.streamPath });
      return socket.destroy();
    }
    socket.write(buffer);
  };
  session.rtmp.onPublish = (message) => guarded(session, () => onPublish(session, message));
  session.rtmp.onPlay = (message) => guarded(session, () => onPlay(session, message));
  const control = session.rtmp.controlHandler;
  session.rtmp.controlHandler = function () {
    control.call(this);
    if (this.inChunkSize < 1 || this.inChunkSize > MAX_CHUNK_SIZE) throw new RangeError("chunk");
  };
  session.run();
  Context.sessions.set(session.id, session);
}

// ---- hooks --------------------------------------------------------------------------------

let hooks = Promise.resolve(); // one after the other, so that they arrive in order

function hook(kind, session) {
  if (!config.hookUrl) return;
  const body = JSON.stringify({
    path: session.streamPath, query: session.query, sourceType: "rtmpConn", sourceId: session.id,
  });
  hooks = hooks.then(() => deliver(kind, body, session.streamPath));
}

async function deliver(kind, body, streamPath) {
  const id = crypto.randomUUID();
  for (const wait of HOOK_RETRY_MS) {
    if (wait) await new Promise((done) => setTimeout(done, wait));
    const stamp = String(Math.floor(Date.now() / 1000));
    const mac = crypto.createHmac("sha256", config.hookSecret);
    const signature = "v1," + mac.update(`${id}.${stamp}.${body}`).digest("base64");
    try {
      const reply = await fetch(`${config.hookUrl}/${kind}`, {
        method: "POST", body, signal: AbortSignal.timeout(500), redirect: "error",
        headers: {
          "content-type": "application/json", "webhook-id": id,
          "webhook-timestamp": stamp, "webhook-signature": signature,
        },
      });
      if (reply.ok || reply.status === 409) return; // 409: an earlier try arrived after all
    } catch { /* tried again below; the orchestrator's reconciler heals what is lost */ }
  }
  log("hook.failed", { path: streamPath, kind });
}

// ---- HTTP: HTTP-FLV, the list of paths, kick ----------------------------------------------

function paths() {
  const found = [];
  for (const [name, broadcast] of Context.broadcasts) {
    const source = broadcast.publisher;
    if (source === null) continue;
    found.push({
      path: name, ready: true, sourceId: source.id, sourceType: "rtmpConn", query: source.query,
      readers: broadcast.subscribers.size, inBytes: source.inBytes,
    });
  }
  return found;
}

function reply(res, code, value) {
  res.writeHead(code, { "content-type": "application/json" });
  res.end(JSON.stringify(value) + "\n");
}

function playFlv(req, res, streamPath) {
  if (!PATH.test(streamPath)) return reply(res, 404, { error: "no such path" });
  // The session wants what express would give it; the path is set below.
  Object.assign(req, { hostname: "", params: { app: "live", name: "x" }, query: {} });
  const session = new FlvSession(req, res);
  Context.broadcasts.delete("/live/x"); // made by the session; our paths have no leading slash
  session.broadcast = broadcastOf(streamPath);
  session.streamPath = streamPath;
  const send = session.sendBuffer;
  session.sendBuffer = (buffer) =>
    res.writableLength > MAX_READER_BACKLOG ? res.destroy() : send(buffer);
  res.writeHead(200, { "content-type": "video/x-flv", "cache-control": "no-store" });
  session.run();
  Context.sessions.set(session.id, session);
}

function onRequest(req, res) {
  const url = new URL(req.url, "http://local");
  const host = (req.headers.host ?? "").replace(/:\d+$/, "");
  // A page of some other site must not reach this through a name that points here.
  if (!["127.0.0.1", "localhost", "[::1]"].includes(host)) return reply(res, 403, {});
  if (req.method === "GET" && url.pathname === "/paths") return reply(res, 200, paths());
  if (req.method === "GET" && url.pathname.endsWith(".flv")) {
    return playFlv(req, res, url.pathname.slice(1, -".flv".length));
  }
  // The header cannot be sent from another site's page without a preflight, which is refused.
  if (req.method === "POST" && url.pathname === "/kick" && req.headers["x-dubcast"]) {
    const source = Context.broadcasts.get(url.searchParams.get("path"))?.publisher;
    source?.socket.destroy();
    return reply(res, source ? 200 : 404, { kicked: Boolean(source) });
  }
  return reply(res, 404, { error: "not found" });
}

// ---- start --------------------------------------------------------------------------------

function listen(server, port, host) {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, host, done);
  });
}

async function main(line) {
  config = JSON.parse(line);
  load(config.modules);
  const rtmp = net.createServer((socket) => onConnection(socket));
  rtmp.maxConnections = 512;
  const web = http.createServer({ headersTimeout: 5000, requestTimeout: 10_000 }, onRequest);
  await listen(rtmp, config.rtmpPort, config.bind);
  await listen(web, config.httpPort, "127.0.0.1");
  // Last resort for what no connection can be blamed for: the streams on air go on.
  process.on("uncaughtException", (error) => log("error", { reason: error.stack }));
  v8.setFlagsFromString("--expose-gc");
  setInterval(vm.runInNewContext("gc"), COLLECT_MS).unref();
  process.stdout.write(JSON.stringify({ ready: true, rtmpPort: config.rtmpPort }) + "\n");
}

const input = readline.createInterface({ input: process.stdin });
input.once("line", (line) =>
  main(line).catch((error) => {
    log("start.failed", { reason: error.message });
    process.exit(1);
  }),
);
input.once("close", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
