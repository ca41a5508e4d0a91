// Runs inside a namespace and does there what each line of standard input asks for: listen, make connections, run a command.
// Prints one line for each, with its number. Ends with its standard input.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

const REFUSED = new Set(['ECONNREFUSED']);
// ENOPROTOOPT: ICMP protocol unreachable.
const UNREACHABLE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ENOPROTOOPT', 'EACCES', 'EPERM', 'EINVAL']);

function outcomeOf(error) {
  if (REFUSED.has(error.code)) return 'refused';
  return UNREACHABLE.has(error.code) ? 'unreachable' : `error ${error.code}`;
}

function answerOf(text) {
  const { backend, source, backends } = JSON.parse(text);
  return { outcome: 'connected', backend, source, ...(backends ? { backends } : {}) };
}

// A socket that takes IPv4 through IPv6 names addresses so.
function plain(address) {
  return address?.replace(/^::ffff:/, '');
}

function tryTcp({ address, port }, timeoutMs) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (result) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    // What has arrived while the process had to wait is read before the time is said to be up.
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => end({ outcome: 'timeout' }))), timeoutMs);
    let connected = false;
    socket.on('connect', () => {
      connected = true;
      socket.write('hello\n');
    });
    // An answer may come in pieces, where the MTU is small.
    let received = '';
    socket.on('data', (data) => {
      received += String(data);
      if (received.endsWith('}')) end(answerOf(received));
    });
    // Reset before the answer came, after the handshake.
    socket.on('error', (error) => end({ outcome: connected ? 'reset' : outcomeOf(error) }));
  });
}

function tryUdp({ address, port }, timeoutMs) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    let open = true;
    const end = (result) => {
      clearTimeout(timer);
      if (open) socket.close();
      open = false;
      resolve(result);
    };
    // What has arrived while the process had to wait is read before the time is said to be up.
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => end({ outcome: 'timeout' }))), timeoutMs);
    socket.on('message', (data) => end(answerOf(String(data))));
    socket.on('error', (error) => end({ outcome: outcomeOf(error) }));
    // Connected, so that ICMP errors come back to the socket.
    socket.connect(port, address, (error) => {
      if (error) end({ outcome: outcomeOf(error) });
      else if (open) socket.send('hello', (problem) => problem && end({ outcome: outcomeOf(problem) }));
    });
  });
}

async function makeAll({ timeoutMs, spreadMs, probes }) {
  return Promise.all(
    probes.map(async (probe, index) => {
      const attempt = probe.protocol === 'tcp' ? tryTcp : tryUdp;
      // Not all in one moment: a burst is longer than the queue of an address that is being resolved.
      const tryLater = async () => {
        await wait((spreadMs * index) / probes.length);
        return attempt(probe, timeoutMs);
      };
      return { id: probe.id, attempts: await Promise.all(Array.from({ length: probe.attempts }, tryLater)) };
    }),
  );
}

function serveTcp({ port, host = '0.0.0.0', ipv6Only = false }) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const seen = {
        backend: `${plain(socket.localAddress)}:${socket.localPort}`,
        source: plain(socket.remoteAddress),
      };
      socket.once('data', () => socket.end(JSON.stringify(seen)));
      // The other side hangs up as soon as it has its answer.
      socket.on('error', () => undefined);
    });
    server.on('error', reject);
    server.listen({ port, host, ipv6Only }, resolve);
  });
}

function serveUdp({ port, host = '0.0.0.0', ipv6Only = false }, address) {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', ipv6Only });
    socket.on('message', (_, from) => {
      // A datagram does not say which of the namespace's addresses it was sent to.
      const seen = { backend: `${address}:${port}`, source: plain(from.address), backends: ownAddresses(port) };
      // A send may fail for lack of a route back: then the other side sees a time-out, as it should.
      socket.send(JSON.stringify(seen), from.port, from.address, () => undefined);
    });
    // Errors of sends that ICMP reports later are of no interest; those of bind are.
    socket.on('error', reject);
    socket.bind({ port, address: host }, () => resolve());
  });
}

/** Every address that a datagram can have been for: table local, which has those of interfaces without a carrier too. */
function ownAddresses(port) {
  const trie = readFileSync('/proc/net/fib_trie', 'utf8');
  const local = [...trie.matchAll(/\|-- ([\d.]+)\n +\/32 host LOCAL/g)].map(([, address]) => `${address}:${port}`);
  return [...new Set(local)];
}

function listen({ address, listens }) {
  return Promise.all(
    listens.map((socket) => (socket.protocol === 'tcp' ? serveTcp(socket) : serveUdp(socket, address))),
  );
}

/** Runs a command in this namespace. Cheaper than `ip netns exec`, which makes a mount namespace each time. */
function run([program, ...rest]) {
  if (program === 'sysctl' && rest[0] === '-a')
    return { status: 0, stdout: readSysctls('/proc/sys/net', 'net'), stderr: '' };
  return new Promise((resolve) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err] = [[], []];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('error', (error) => resolve({ status: null, stdout: '', stderr: error.message }));
    child.on('close', (code) =>
      resolve({ status: code ?? 1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
  });
}

/** The lines of `sysctl -a -r '^net\\.'`, without reading the settings of all else. */
function readSysctls(folder, name) {
  let lines = '';
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    // sysctl(8) writes dots in names as slashes.
    const key = `${name}.${entry.name.replaceAll('.', '/')}`;
    if (entry.isDirectory()) lines += readSysctls(path, key);
    else
      try {
        for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) lines += `${key} = ${line}\n`;
      } catch {
        // Some can only be written, like route.flush.
      }
  }
  return lines;
}

const acts = { listen, probe: makeAll, run };
for await (const line of createInterface({ input: process.stdin })) {
  const { id, act, with: argument } = JSON.parse(line);
  // Not awaited: commands run side by side.
  void Promise.resolve(acts[act](argument)).then(
    (result) => process.stdout.write(`${JSON.stringify({ id, result: result ?? null })}\n`),
    (error) => process.stdout.write(`${JSON.stringify({ id, error: String(error) })}\n`),
  );
}
process.exit(0);
