import type { HttpConfig } from '#libs/server';
import type { INestApplication } from '@nestjs/common';

/** Listens on the port asked for, or on a free one when that is taken. Gives whether it got what was asked for. */
export async function listenOrElsewhere(app: INestApplication, { host, port }: HttpConfig): Promise<boolean> {
  try {
    await app.listen(port, host);
    return true;
  } catch (error) {
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    await app.listen(0, host);
    return false;
  }
}
