import { HopscopeError } from '#libs/model';
import { createServer, request, type Server } from 'node:http';
import { z } from 'zod';
import { checkHost } from './check-host.js';

const Address = z.object({ port: z.int() });

async function listening(host: string): Promise<Server> {
  const check = checkHost(host);
  const server = createServer((received, response) => {
    check(received, response, (error) => response.end(error instanceof HopscopeError ? error.code : 'fine'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function ask(server: Server, host: string): Promise<string> {
  const { port } = Address.parse(server.address());
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, headers: { host } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject).end();
  });
}

describe('checkHost', () => {
  it.each([
    { on: '127.0.0.1', host: 'evil.example', answer: 'HOST_NOT_ALLOWED' },
    { on: '127.0.0.1', host: 'evil.example:3000', answer: 'HOST_NOT_ALLOWED' },
    { on: '127.0.0.1', host: 'localhost.evil.example', answer: 'HOST_NOT_ALLOWED' },
    { on: '127.0.0.1', host: '127.0.0.1.evil.example', answer: 'HOST_NOT_ALLOWED' },
    { on: '127.0.0.1', host: '10.0.0.1', answer: 'HOST_NOT_ALLOWED' },
    { on: 'localhost', host: 'evil.example', answer: 'HOST_NOT_ALLOWED' },
    { on: '::1', host: 'evil.example', answer: 'HOST_NOT_ALLOWED' },
    { on: '127.0.0.1', host: 'localhost', answer: 'fine' },
    { on: '127.0.0.1', host: 'LocalHost:3000', answer: 'fine' },
    { on: '127.0.0.1', host: '127.0.0.1:1', answer: 'fine' },
    { on: '127.0.0.1', host: '[::1]:3000', answer: 'fine' },
    { on: '127.0.0.9', host: '127.0.0.9:3000', answer: 'fine' },
    { on: '::1', host: '[::1]', answer: 'fine' },
    { on: '0.0.0.0', host: 'hopscope.example', answer: 'fine' },
    { on: '::', host: 'hopscope.example', answer: 'fine' },
    { on: '10.0.0.5', host: 'hopscope.example:80', answer: 'fine' },
  ])('on $on a request to "$host": $answer', async ({ on, host, answer }) => {
    const server = await listening(on);
    try {
      expect(await ask(server, host)).toBe(answer);
    } finally {
      server.close();
    }
  });
});
