/** iptables tables in the making; printed for iptables-restore. */
export class RuleSet {
  private readonly tables = new Map<string, Map<string, string[]>>();

  chain(table: string, chain: string): string[] {
    const chains = this.tables.get(table) ?? new Map<string, string[]>();
    this.tables.set(table, chains);
    const rules = chains.get(chain) ?? [];
    chains.set(chain, rules);
    return rules;
  }

  add(table: string, chain: string, ...rules: readonly string[]): void {
    this.chain(table, chain).push(...rules);
  }

  /** Every chain, in the order of tables and names in which they are printed. */
  chains(): readonly { readonly table: string; readonly name: string; readonly lines: readonly string[] }[] {
    return [...this.tables].flatMap(([table, chains]) =>
      [...chains].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, lines]) => ({ table, name, lines })),
    );
  }

  print(): string {
    const lines: string[] = [];
    for (const [table, chains] of this.tables) {
      lines.push(`*${table}`);
      // Only chains of the kernel's own have a policy, and those have no dash in their name.
      for (const name of [...chains.keys()].toSorted())
        lines.push(`:${name} ${name.includes('-') ? '-' : 'ACCEPT'} [0:0]`);
      for (const [name, rules] of [...chains].toSorted(([a], [b]) => (a < b ? -1 : 1)))
        lines.push(...rules.map((rule) => `-A ${name} ${rule}`));
      lines.push('COMMIT');
    }
    return `${lines.join('\n')}\n`;
  }
}

export function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}
