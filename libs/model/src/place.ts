/** Something with a name: where a trace ended (`at`), or what a suspicion is about (`subject`). */
export interface Place {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly node?: string;
  readonly interface?: string;
}

/** `pod default/web-0`, `node node1 (eth0)`: for people. */
export function describePlace(place: Place): string {
  const name = place.namespace === undefined ? place.name : `${place.namespace}/${place.name}`;
  return `${place.kind} ${name}${place.interface === undefined ? '' : ` (${place.interface})`}`;
}

/** A key that tells places apart; not for people. */
export function placeKey(place: Place): string {
  return [place.kind, place.namespace ?? '', place.name, place.interface ?? ''].join('|');
}
