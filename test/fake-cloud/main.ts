// The fake cloud as a process: `node dist/test/fake-cloud/main.js test/fake-cloud/worlds/flannel.yaml [PORT]`. Says where it answers,
// and each call with what became of it. Ends with SIGTERM or SIGINT.
import { FakeCloud } from './fake-cloud.js';
import { toWire } from './to-wire.js';
import { readWorldFile } from './world-file.js';

const [file, port = '0'] = process.argv.slice(2);
if (file === undefined || !/^\d+$/.test(port)) {
  console.error('usage: node dist/test/fake-cloud/main.js WORLD.yaml [PORT]');
  process.exit(2);
}
const { region, account, cloud: model } = readWorldFile(file);
const cloud = await new FakeCloud({
  world: toWire(model, region),
  account,
  onCall: ({ action, status }) => console.log(`${action} ${status}`),
}).start(Number(port));
console.log(`fake cloud ready on ${cloud.endpoint}, region ${region}`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void cloud.stop());
