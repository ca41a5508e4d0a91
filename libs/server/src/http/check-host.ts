import { HopscopeError } from '#libs/model';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Express middleware against DNS rebinding: a web page whose name was made to lead to 127.0.0.1 could read and delete here, as
 * no login is asked on loopback. Its requests bear its own name in `Host`. Where others are served too, all names are taken.
 */
export function checkHost(listeningOn: string) {
  const own = bare(listeningOn.toLowerCase());
  const onLoopback = isLoopback(own);
  return (request: IncomingMessage, _response: unknown, next: (error?: unknown) => void): void => {
    const { host } = request.headers;
    // Without any Host (HTTP/1.0) it is no browser.
    if (!onLoopback || host === undefined || isOwn(host, own)) next();
    else next(notAllowed(host));
  };
}

function isOwn(host: string, own: string): boolean {
  const name = bare(host.toLowerCase().replace(/:\d*$/, ''));
  return name === own || isLoopback(name);
}

function isLoopback(name: string): boolean {
  const family = isIP(name);
  return family === 0 ? name === 'localhost' : LOOPBACK.check(name, family === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv6 address without the brackets that a URL puts around it. */
function bare(name: string): string {
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
}

function notAllowed(host: string): HopscopeError {
  return new HopscopeError(
    'HOST_NOT_ALLOWED',
    `requests to "${host.slice(0, 80)}" are not answered: the server listens on this machine only; ask localhost or 127.0.0.1, or set HOST to an address for others`,
  );
}
