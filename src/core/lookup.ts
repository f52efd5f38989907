/**
 * The value of a key that a map is known to have.
 *
 * @throws Error that names the key where it has not: a defect of the program.
 */
export function lookup<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value {
  const value = map.get(key);
  if (value === undefined && !map.has(key)) throw new Error(`there is nothing for ${String(key)}`);
  // It is there, even where it is undefined.
  return value as Value;
}
