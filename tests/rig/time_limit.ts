/**
 * Promises that no test waits for ever: `.ci/run` loads this first, and a test that does not end fails
 * by its name, instead of holding up all others until somebody looks.
 *
 * @module
 */

/**
 * How long a test may last if it does not say so itself (`timeout`), in milliseconds: above what a single wait of
 * the rig may take (120 s), so that such a wait fails first and says what it has waited for.
 */
export const TEST_LIMIT_MS = 180_000;

type Arguments = [
  nameOrOptions: string | Omit<Deno.TestDefinition, "fn"> | Deno.TestDefinition | Deno.TestDefinition["fn"],
  optionsOrFn?: Omit<Deno.TestDefinition, "fn" | "name"> | Deno.TestDefinition["fn"],
  fn?: Deno.TestDefinition["fn"],
];

/** The one form of `Deno.test` into which its others are brought, with the limit where there is none. */
export function limited(...[first, second, third]: Arguments): Deno.TestDefinition {
  const given: Partial<Deno.TestDefinition> = typeof first === "string"
    ? { name: first }
    : typeof first === "function"
    ? { name: first.name, fn: first }
    : { ...first };
  if (typeof second === "function") given.fn = second;
  else Object.assign(given, second);
  if (third !== undefined) given.fn = third;
  return { timeout: TEST_LIMIT_MS, ...given } as Deno.TestDefinition;
}

const test = Deno.test;
Object.assign(Deno, { test: Object.assign((...given: Arguments) => test(limited(...given)), test) });
