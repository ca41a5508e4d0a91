import { ecs } from './products/ecs.js';
import type { Handler, Product } from './products/handler.js';
import { nlb } from './products/nlb.js';
import { slb } from './products/slb.js';
import { vpc } from './products/vpc.js';

const BY_VERSION: Readonly<Record<string, Product>> = {
  '2014-05-26': ecs,
  '2016-04-28': vpc,
  '2014-05-15': slb,
  '2022-04-30': nlb,
};

/** The handler of an action of the product that has this API version. */
export function findHandler(version: string, action: string): Handler | undefined {
  const product = Object.hasOwn(BY_VERSION, version) ? BY_VERSION[version] : undefined;
  return product !== undefined && Object.hasOwn(product, action) ? product[action] : undefined;
}
