// Runs inside a namespace: answers every TCP line and UDP datagram with who answered and what it saw. Says "ready" when all ports are bound.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const { name, address, listens } = JSON.parse(process.argv[2] ?? '{}');

function serveTcp(port) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const seen = { name, backend: `${socket.localAddress}:${socket.localPort}`, source: socket.remoteAddress };
      socket.on('data', () => socket.end(JSON.stringify(seen)));
      // The prober hangs up as soon as it has its answer.
      socket.on('error', () => undefined);
    });
    server.on('error', reject);
    server.listen({ port, host: '0.0.0.0' }, resolve);
  });
}

function serveUdp(port) {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('message', (_, from) => {
      // A send may fail for lack of a route back: then the prober sees a time-out, as it should.
      socket.send(
        JSON.stringify({ name, backend: `${address}:${port}`, source: from.address }),
        from.port,
        from.address,
        () => undefined,
      );
    });
    socket.on('error', reject);
    socket.bind({ port, address: '0.0.0.0' }, resolve);
  });
}

await Promise.all(listens.map(({ protocol, port }) => (protocol === 'tcp' ? serveTcp(port) : serveUdp(port))));
process.stdout.write('ready\n');
