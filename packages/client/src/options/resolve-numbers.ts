import { OptionError } from '../errors/client-errors.ts';

/** Options that are whole numbers: the default, and the least value allowed. */
export type NumberOptions<N extends string> = Readonly<Record<N, readonly [fallback: number, least: number]>>;

/**
 * Fills in the defaults of number options and checks every value.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveNumbers<N extends string>(
  numbers: NumberOptions<N>,
  options: { readonly [K in NoInfer<N>]?: number | undefined },
): Record<N, number> {
  const resolved = {} as Record<N, number>;
  for (const [name, [fallback, least]] of Object.entries(numbers) as [N, readonly [number, number]][]) {
    const value: unknown = options[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least)
      throw new OptionError(`${name} "${String(value)}" is not an integer of at least ${least}`);
    resolved[name] = value;
  }
  return resolved;
}
