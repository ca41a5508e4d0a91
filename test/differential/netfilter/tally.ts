/** How often something was seen: a rule that matched, a packet that left. Keys of prediction and kernel are spelled alike. */
export type Tally = Map<string, number>;

export function count(tally: Tally, key: string, by = 1): void {
  if (by !== 0) tally.set(key, (tally.get(key) ?? 0) + by);
}

/** One line for each key on which the two do not agree. */
export function compareTallies(predicted: Tally, seen: Tally): string[] {
  const lines: string[] = [];
  for (const key of new Set([...predicted.keys(), ...seen.keys()])) {
    const wanted = seen.get(key) ?? 0;
    const said = predicted.get(key) ?? 0;
    if (wanted !== said) lines.push(`${key}: kernel ${wanted}, hopscope ${said}`);
  }
  return lines.toSorted();
}

/** The checksum of an ICMP error stands where ports would; NAT of the quoted packet changes it. */
export function portsKey(sport: number, dport: number): string {
  const isError = sport >> 8 === 3 || sport >> 8 === 11 || sport >> 8 === 1;
  return `${sport} ${isError ? '*' : dport}`;
}
