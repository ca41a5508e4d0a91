/** `sysctl -a` lines (`net.ipv4.ip_forward = 1`). Interface names with dots are kept as sysctl(8) prints them, with slashes. */
export type Sysctl = ReadonlyMap<string, string>;

export function parseSysctl(text: string): Sysctl {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return values;
}
