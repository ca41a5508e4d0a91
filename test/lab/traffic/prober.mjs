// Runs inside a namespace: makes each connection that standard input asks for, all at once, and prints what became of it.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

const REFUSED = new Set(['ECONNREFUSED']);
const UNREACHABLE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'EPERM', 'EINVAL']);

function outcomeOf(error) {
  if (REFUSED.has(error.code)) return 'refused';
  return UNREACHABLE.has(error.code) ? 'unreachable' : `error ${error.code}`;
}

function answerOf(data) {
  const { backend, source } = JSON.parse(String(data));
  return { outcome: 'connected', backend, source };
}

function tryTcp({ address, port }, timeoutMs) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (result) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end({ outcome: 'timeout' }), timeoutMs);
    socket.on('connect', () => socket.write('hello\n'));
    socket.on('data', (data) => end(answerOf(data)));
    socket.on('error', (error) => end({ outcome: outcomeOf(error) }));
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
    const timer = setTimeout(() => end({ outcome: 'timeout' }), timeoutMs);
    socket.on('message', (data) => end(answerOf(data)));
    socket.on('error', (error) => end({ outcome: outcomeOf(error) }));
    // Connected, so that ICMP errors come back to the socket.
    socket.connect(port, address, (error) => {
      if (error) end({ outcome: outcomeOf(error) });
      else socket.send('hello', (problem) => problem && end({ outcome: outcomeOf(problem) }));
    });
  });
}

let input = '';
for await (const chunk of process.stdin) input += chunk;
const { timeoutMs, probes } = JSON.parse(input);
const results = await Promise.all(
  probes.map(async (probe) => {
    const attempt = probe.protocol === 'tcp' ? tryTcp : tryUdp;
    return {
      id: probe.id,
      attempts: await Promise.all(Array.from({ length: probe.attempts }, () => attempt(probe, timeoutMs))),
    };
  }),
);
process.stdout.write(JSON.stringify(results));
